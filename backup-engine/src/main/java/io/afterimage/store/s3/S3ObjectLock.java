package io.afterimage.store.s3;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLock;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.Retention;
import io.afterimage.store.StoreException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.Optional;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ObjectLockConfiguration;
import software.amazon.awssdk.services.s3.model.ObjectLockEnabled;
import software.amazon.awssdk.services.s3.model.ObjectLockRetention;

/** Object lock of a bucket that has it: PutObject with a retention, GetObjectRetention, PutObjectRetention, all of the newest version. */
record S3ObjectLock(S3ObjectStore store, S3Client client, String bucket) implements ObjectLock {

    /** Whether a bucket has object lock, as it answers. Stores that do not know the question say so in many ways. */
    static boolean isEnabled(S3Client client, String bucket) {
        try {
            ObjectLockConfiguration configuration =
                    client.getObjectLockConfiguration(get -> get.bucket(bucket)).objectLockConfiguration();
            return configuration != null && configuration.objectLockEnabled() == ObjectLockEnabled.ENABLED;
        } catch (AwsServiceException e) {
            boolean answered = e.statusCode() == 501 || e.statusCode() == 400 || e.statusCode() == 405 || e.statusCode() == 404;
            if (answered && !"NoSuchBucket".equals(S3Failure.code(e))) {
                return false;
            }
            throw e;
        }
    }

    @Override
    public void put(ObjectKey key, Retention retention, ByteBuffer... content) throws StoreException {
        BufferedContent whole = new BufferedContent(content);
        String md5 = md5(content);
        store.call(Operation.PUT, key.value(), () -> client.putObject(
                put -> put.bucket(bucket)
                        .key(store.name(key))
                        .contentMD5(md5)
                        .objectLockMode(retention.mode().name())
                        .objectLockRetainUntilDate(retention.until())
                        .overrideConfiguration(request -> store.patience(request, whole.length())),
                whole.body()));
    }

    /** A PUT with a retention is taken with a checksum only, and MD5 is the one that every store knows. */
    private static String md5(ByteBuffer... content) {
        try {
            MessageDigest md5 = MessageDigest.getInstance("MD5");
            Arrays.stream(content).map(ByteBuffer::duplicate).forEach(md5::update);
            return Base64.getEncoder().encodeToString(md5.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has MD5", e);
        }
    }

    @Override
    public Optional<Retention> retention(ObjectKey key) throws StoreException {
        return store.call(Operation.GET, key.value(), () -> {
            try {
                return Optional.ofNullable(client.getObjectRetention(
                                get -> get.bucket(bucket).key(store.name(key)).overrideConfiguration(request -> store.patience(request, 0)))
                                .retention())
                        .flatMap(S3ObjectLock::read);
            } catch (AwsServiceException e) {
                return switch (S3Failure.code(e)) {
                    case "NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError" -> Optional.empty();
                    // A delete marker is the newest version.
                    case "MethodNotAllowed" -> throw new ObjectNotFoundException(key, store.toString(), e);
                    default -> throw e;
                };
            }
        });
    }

    /** A mode that this program does not know is taken for the weakest, so that it is not built upon. */
    private static Optional<Retention> read(ObjectLockRetention retention) {
        boolean compliance = "COMPLIANCE".equals(String.valueOf(retention.modeAsString()).toUpperCase(Locale.ROOT));
        return Optional.ofNullable(retention.retainUntilDate())
                .map(until -> new Retention(compliance ? Retention.Mode.COMPLIANCE : Retention.Mode.GOVERNANCE, until));
    }

    @Override
    public void retain(ObjectKey key, Retention retention) throws StoreException {
        try {
            store.call(Operation.PUT, key.value(), () -> client.putObjectRetention(put -> put.bucket(bucket)
                    .key(store.name(key))
                    .retention(rule -> rule.mode(retention.mode().name()).retainUntilDate(retention.until()))
                    .overrideConfiguration(request -> store.patience(request, 0))));
        } catch (StoreException e) {
            if (isGone(e)) {
                throw new ObjectNotFoundException(key, store.toString(), e);
            }
            throw e;
        }
    }

    private static boolean isGone(StoreException e) {
        return e.problem() == Problem.NOT_FOUND
                || (e.getCause() instanceof AwsServiceException answer && "MethodNotAllowed".equals(S3Failure.code(answer)));
    }
}
