package io.afterimage.store.s3;

import java.net.URI;
import java.util.List;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.DeleteMarkerEntry;
import software.amazon.awssdk.services.s3.model.ObjectVersion;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** A bucket of a test's own, and stores in it. */
public final class S3TestBucket {

    private final URI endpoint;
    private final String addressing;
    private final String name;
    private final AwsCredentialsProvider credentials;

    public S3TestBucket(URI endpoint, String accessKey, String secretKey, String name) {
        this(endpoint, "path", accessKey, secretKey, name);
    }

    /** @param addressing whether the bucket stands in the path or in the host's name: {@code path} or {@code virtual} */
    S3TestBucket(URI endpoint, String addressing, String accessKey, String secretKey, String name) {
        this.endpoint = endpoint;
        this.addressing = addressing;
        this.name = name;
        this.credentials = StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKey, secretKey));
    }

    /** Makes the bucket itself, which a store never does. */
    public void create() {
        try (S3Client client = client()) {
            client.createBucket(bucket -> bucket.bucket(name));
        }
    }

    /** Makes the bucket so that objects in it can be locked, which only its making can decide in many stores. */
    public void createWithObjectLock() {
        try (S3Client client = client()) {
            client.createBucket(bucket -> bucket.bucket(name).objectLockEnabledForBucket(true));
        }
    }

    /** The contents of all versions under a key. */
    List<String> versions(String key) {
        try (S3Client client = client()) {
            return client.listObjectVersions(list -> list.bucket(name).prefix(key)).versions().stream()
                    .map(version -> client.getObjectAsBytes(get -> get.bucket(name).key(key).versionId(version.versionId())).asUtf8String())
                    .toList();
        }
    }

    /** Deletes all objects as a listing shows them, as a thief of the credentials would. */
    public void deleteAll() {
        try (S3Client client = client()) {
            client.listObjectsV2Paginator(list -> list.bucket(name)).contents()
                    .forEach(object -> client.deleteObject(delete -> delete.bucket(name).key(object.key())));
        }
    }

    /** Tries to delete every version below a prefix for good; tells how many went. */
    public int destroyVersions(String prefix) {
        try (S3Client client = client()) {
            int destroyed = 0;
            for (ObjectVersion version : client.listObjectVersionsPaginator(list -> list.bucket(name).prefix(prefix)).versions()) {
                try {
                    client.deleteObject(delete -> delete.bucket(name).key(version.key()).versionId(version.versionId()));
                    destroyed++;
                } catch (S3Exception e) {
                    if (e.statusCode() != 403) {
                        throw e;
                    }
                }
            }
            return destroyed;
        }
    }

    /** Takes away what hides deleted objects below a prefix, as the manual says. */
    public void uncover(String prefix) {
        try (S3Client client = client()) {
            client.listObjectVersionsPaginator(list -> list.bucket(name).prefix(prefix)).deleteMarkers().stream()
                    .filter(DeleteMarkerEntry::isLatest)
                    .forEach(marker -> client.deleteObject(delete -> delete.bucket(name).key(marker.key()).versionId(marker.versionId())));
        }
    }

    public S3ObjectStore open(String prefix) {
        return open(prefix, Timeouts.DEFAULT);
    }

    S3ObjectStore open(String prefix, Timeouts timeouts) {
        S3Location location = location(prefix);
        return new S3ObjectStore(location, SdkClient.create(location, timeouts, credentials), timeouts);
    }

    public S3Location location(String prefix) {
        return S3Location.parse("s3://" + name + "/" + prefix + "?region=us-east-1&addressing=" + addressing + "&endpoint=" + endpoint);
    }

    /** The SDK as it is, to do what a store cannot. */
    S3Client client() {
        return SdkClient.create(location(""), Timeouts.DEFAULT, credentials);
    }
}
