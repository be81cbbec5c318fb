package io.afterimage.store.s3;

import java.io.Closeable;
import java.io.IOException;

/** A server with an S3 API, of a test's own. */
public interface S3TestServer extends Closeable {

    /** A bucket of that name, which need not be there yet. */
    S3TestBucket bucket(String name);

    @Override
    void close() throws IOException;
}
