package io.afterimage.store.s3;

import java.io.IOException;
import java.net.URI;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;

/** S3Proxy in this JVM, its objects in memory. */
public final class EmbeddedS3 implements S3TestServer {

    public static final String ACCESS_KEY = "embedded";
    public static final String SECRET_KEY = "embedded-secret";

    private final S3Proxy server;
    private final String host;
    private final String addressing;

    private EmbeddedS3(S3Proxy server, String host, String addressing) {
        this.server = server;
        this.host = host;
        this.addressing = addressing;
    }

    public static EmbeddedS3 start() throws IOException {
        return start(new EmbeddedS3(proxy().build(), "127.0.0.1", "path"));
    }

    /** One whose buckets are hosts of their own, {@code bucket.host}, all of which must lead to this one. */
    static EmbeddedS3 startWithBucketsAsHosts(String host) throws IOException {
        return start(new EmbeddedS3(proxy().virtualHost(host).build(), host, "virtual"));
    }

    private static S3Proxy.Builder proxy() {
        return S3Proxy.builder()
                .endpoint(URI.create("http://127.0.0.1:0"))
                .awsAuthentication(AuthenticationType.AWS_V4, ACCESS_KEY, SECRET_KEY)
                .blobStore(new TransientNio2BlobStore());
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
        return URI.create("http://" + host + ":" + port());
    }

    @Override
    public S3TestBucket bucket(String name) {
        return new S3TestBucket(endpoint(), addressing, ACCESS_KEY, SECRET_KEY, name);
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
