package io.afterimage.store.s3;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ListPage;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectLock;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import software.amazon.awssdk.awscore.AwsRequestOverrideConfiguration;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Error;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A store whose objects are those below a prefix of an S3 bucket. The bucket must exist.
 *
 * <p>Each PUT and GET is one request; up to {@link SdkClient}'s limit run at once, on connections that are kept. No body is held in memory beside the
 * caller's buffers. The store's answers are not trusted: ranges, lengths and the order of listings are checked.
 */
public final class S3ObjectStore implements ObjectStore {

    /** How many times in a row a store must say that there is no such object. */
    private static final int LOOKS = 3;

    private final S3Location location;
    private final S3Client client;
    private final Timeouts timeouts;

    S3ObjectStore(S3Location location, S3Client client, Timeouts timeouts) {
        this.location = location;
        this.client = client;
        this.timeouts = timeouts;
    }

    /** Makes a client for the location, with the credentials that the SDK's chain finds. No request is sent yet. */
    public static S3ObjectStore open(S3Location location) {
        return new S3ObjectStore(location, SdkClient.create(location, Timeouts.DEFAULT), Timeouts.DEFAULT);
    }

    <T> T call(Operation operation, String subject, Callable<T> request) throws StoreException {
        try {
            return InterruptibleCall.run(request);
        } catch (Exception e) {
            // What is thrown while a body is taken in comes wrapped by the SDK.
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof StoreException classified) {
                    throw classified;
                }
            }
            S3Failure failure = S3Failure.of(operation, e);
            if (operation == Operation.GET && failure.problem() == Problem.NOT_FOUND) {
                throw new ObjectNotFoundException(new ObjectKey(subject), toString(), e);
            }
            throw new StoreException(operation, subject, toString(), failure.problem(), failure.outcome(), e);
        }
    }

    void patience(AwsRequestOverrideConfiguration.Builder request, long bytes) {
        request.apiCallAttemptTimeout(timeouts.whole(bytes));
    }

    String name(ObjectKey key) {
        return location.prefix().value() + key.value();
    }

    @Override
    public void put(ObjectKey key, ByteBuffer... content) throws StoreException {
        BufferedContent whole = new BufferedContent(content);
        call(Operation.PUT, key.value(), () -> client.putObject(
                put -> put.bucket(location.bucket()).key(name(key)).overrideConfiguration(request -> patience(request, whole.length())), whole.body()));
    }

    @Override
    public void get(ObjectKey key, long offset, ByteBuffer target) throws StoreException {
        if (!target.hasRemaining()) {
            return;
        }
        long end = offset + target.remaining();
        ByteBuffer view = target.duplicate();
        look(key, () -> client.getObject(
                get -> get.bucket(location.bucket()).key(name(key)).range("bytes=" + offset + '-' + (end - 1))
                        .overrideConfiguration(request -> patience(request, end - offset)),
                new ObjectBytes(key, toString()).range(offset, view)));
        target.position(target.limit());
    }

    /** A Swift server says for a moment that an object is not there while it is overwritten; only what it says again is believed. */
    private <T> T look(ObjectKey key, Callable<T> get) throws StoreException {
        for (int looks = 1; ; looks++) {
            try {
                return call(Operation.GET, key.value(), get);
            } catch (ObjectNotFoundException e) {
                if (looks == LOOKS) {
                    throw e;
                }
            }
        }
    }

    @Override
    public byte[] getWhole(ObjectKey key, int maxBytes) throws StoreException {
        return look(key, () -> client.getObject(
                get -> get.bucket(location.bucket()).key(name(key)).overrideConfiguration(request -> patience(request, maxBytes)),
                new ObjectBytes(key, toString()).whole(maxBytes)));
    }

    @Override
    public ListPage list(KeyPrefix prefix, Optional<ObjectKey> after) throws StoreException {
        return list(prefix, after, PAGE);
    }

    @Override
    public Optional<ObjectInfo> first(KeyPrefix prefix) throws StoreException {
        return list(prefix, Optional.empty(), 1).objects().stream().findFirst();
    }

    private ListPage list(KeyPrefix prefix, Optional<ObjectKey> after, int most) throws StoreException {
        return call(Operation.LIST, prefix.value(), () -> {
            ListObjectsV2Request.Builder request = ListObjectsV2Request.builder()
                    .bucket(location.bucket())
                    .prefix(location.prefix().value() + prefix)
                    .maxKeys(most)
                    .overrideConfiguration(limits -> patience(limits, 0));
            after.ifPresent(key -> request.startAfter(name(key)));
            String last = after.map(this::name).orElse("");
            while (true) {
                ListObjectsV2Response answer = client.listObjectsV2(request.build());
                List<S3Object> objects = checkedOrder(prefix, last, answer);
                List<ObjectInfo> found = ours(objects);
                boolean more = Boolean.TRUE.equals(answer.isTruncated());
                if (!found.isEmpty() || !more) {
                    return new ListPage(found, !more);
                }
                // A page of foreign objects only.
                last = objects.getLast().key();
                request.startAfter(last).maxKeys(PAGE);
            }
        });
    }

    /** A listing that stood still or went back would never end, and one that is not sorted would be taken for incomplete. */
    private List<S3Object> checkedOrder(KeyPrefix prefix, String after, ListObjectsV2Response answer) throws StoreException {
        String previous = after;
        for (S3Object object : answer.contents()) {
            if (object.key().compareTo(previous) <= 0 || !object.key().startsWith(location.prefix().value() + prefix) || object.size() < 0) {
                throw badListing(prefix);
            }
            previous = object.key();
        }
        if (Boolean.TRUE.equals(answer.isTruncated()) && answer.contents().isEmpty()) {
            throw badListing(prefix);
        }
        return answer.contents();
    }

    private StoreException badListing(KeyPrefix prefix) {
        return new StoreException(Operation.LIST, prefix.value(), toString(), Problem.BAD_REPLY, Outcome.FATAL, null);
    }

    /** What is named as we name objects; others may keep theirs beside. */
    private List<ObjectInfo> ours(List<S3Object> objects) {
        List<ObjectInfo> found = new ArrayList<>();
        for (S3Object object : objects) {
            String key = object.key().substring(location.prefix().value().length());
            if (ObjectKey.isValid(key)) {
                found.add(new ObjectInfo(new ObjectKey(key), object.size(), object.lastModified()));
            }
        }
        return found;
    }

    @Override
    public void delete(Collection<ObjectKey> keys) throws StoreException {
        ObjectStore.checkDeletable(keys);
        if (keys.size() == 1) {
            ObjectKey key = keys.iterator().next();
            deleteOne(key);
        } else if (!keys.isEmpty()) {
            deleteMany(keys);
        }
    }

    private void deleteOne(ObjectKey key) throws StoreException {
        try {
            call(Operation.DELETE, key.value(), () -> client.deleteObject(
                    delete -> delete.bucket(location.bucket()).key(name(key)).overrideConfiguration(request -> patience(request, 0))));
        } catch (StoreException e) {
            // Most stores do not say that there was nothing to delete.
            if (e.problem() != Problem.NOT_FOUND) {
                throw e;
            }
        }
    }

    private void deleteMany(Collection<ObjectKey> keys) throws StoreException {
        List<ObjectIdentifier> objects = keys.stream().distinct().map(key -> ObjectIdentifier.builder().key(name(key)).build()).toList();
        DeleteObjectsResponse answer = call(Operation.DELETE, "", () -> client.deleteObjects(delete -> delete.bucket(location.bucket())
                .delete(all -> all.objects(objects).quiet(true))
                .overrideConfiguration(request -> patience(request, 0))));
        for (S3Error error : answer.errors()) {
            S3Failure failure = S3Failure.ofAnswer(Operation.DELETE, String.valueOf(error.code()), 500);
            if (failure.problem() != Problem.NOT_FOUND) {
                String subject = String.valueOf(error.key());
                throw new StoreException(Operation.DELETE, subject, toString(), failure.problem(), failure.outcome(), null);
            }
        }
    }

    /** One request. */
    @Override
    public Optional<ObjectLock> objectLock() throws StoreException {
        boolean enabled = call(Operation.LIST, "", () -> S3ObjectLock.isEnabled(client, location.bucket()));
        return enabled ? Optional.of(new S3ObjectLock(this, client, location.bucket())) : Optional.empty();
    }

    @Override
    public void close() {
        client.close();
    }

    @Override
    public String toString() {
        return location.forMessages();
    }
}
