package io.afterimage.store.s3;

import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;

/** An object's bytes as the SDK reads them, once to sign and once to send, without a copy of the whole. */
final class BufferedContent {

    private final ByteBuffer[] parts;

    BufferedContent(ByteBuffer... parts) {
        this.parts = parts;
    }

    long length() {
        return Arrays.stream(parts).mapToLong(ByteBuffer::remaining).sum();
    }

    RequestBody body() {
        return RequestBody.fromContentProvider(ContentStreamProvider.fromInputStreamSupplier(() -> new PartStream(parts)), length(), "application/octet-stream");
    }

    private static final class PartStream extends InputStream {

        private final ByteBuffer[] parts;
        private int current;

        PartStream(ByteBuffer... parts) {
            this.parts = Arrays.stream(parts).map(ByteBuffer::duplicate).toArray(ByteBuffer[]::new);
        }

        /** Moves on to the next part that has something left; false at the end. */
        private boolean advance() {
            while (current < parts.length && !parts[current].hasRemaining()) {
                current++;
            }
            return current < parts.length;
        }

        @Override
        public int read() {
            return advance() ? Byte.toUnsignedInt(parts[current].get()) : -1;
        }

        @Override
        public int read(byte[] target, int offset, int length) {
            if (length == 0) {
                return 0;
            }
            if (!advance()) {
                return -1;
            }
            int count = Math.min(length, parts[current].remaining());
            parts[current].get(target, offset, count);
            return count;
        }
    }
}
