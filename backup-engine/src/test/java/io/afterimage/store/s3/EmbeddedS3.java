package io.afterimage.store.s3;

import java.io.IOException;
import java.net.URI;
import java.util.Optional;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import software.amazon.awssdk.services.s3.model.CreateBucketRequest;

/** S3Proxy in this JVM, its objects in memory. */
public final class EmbeddedS3 implements S3TestServer {

    public static final String ACCESS_KEY = "embedded";
    public static final String SECRET_KEY = "embedded-secret";

    private final TransientNio2BlobStore objects = new TransientNio2BlobStore();
    private final S3Proxy server;

    private EmbeddedS3(Optional<String> host) {
        S3Proxy.Builder builder = S3Proxy.builder()
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
                .blobStore(objects);
        host.ifPresent(builder::virtualHost);
        server = builder.build();
    }

    public static EmbeddedS3 start() throws IOException {
        return start(new EmbeddedS3(Optional.empty()));
    }

    /** One with a bucket in it that has a host's name of its own, {@code bucket.host}, and no other address. */
    public static EmbeddedS3 startAtHost(String host, String bucket) throws IOException {
        EmbeddedS3 embedded = new EmbeddedS3(Optional.of(host));
        embedded.objects.createContainer(CreateBucketRequest.builder().bucket(bucket).build());
        return start(embedded);
    }

    private static EmbeddedS3 start(EmbeddedS3 embedded) throws IOException {
        try {
            embedded.server.start();
        } catch (Exception e) {
            throw new IOException("S3Proxy did not start", e);
        }
        return embedded;
    }

    public int port() {
        return server.getPort();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + port());
    }

    @Override
    public S3TestBucket bucket(String name) {
        return new S3TestBucket(endpoint(), ACCESS_KEY, SECRET_KEY, name);
    }

    @Override
    public void close() throws IOException {
        try {
            server.stop();
        } catch (Exception e) {
            throw new IOException("S3Proxy did not stop", e);
        }
    }
}
