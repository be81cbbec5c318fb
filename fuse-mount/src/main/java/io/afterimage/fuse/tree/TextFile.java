package io.afterimage.fuse.tree;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/** A small file that is in memory. */
final class TextFile implements Node.File {

    private final long inode;
    private final Instant time;
    private final byte[] bytes;

    TextFile(long inode, Instant time, String text) {
        this.inode = inode;
        this.time = time;
        bytes = text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Attributes attributes() {
        return Attributes.file(inode, bytes.length, bytes.length, time);
    }

    @Override
    public OpenFile open() {
        return new OpenFile() {

            @Override
            public void read(long offset, ByteBuffer target) {
                if (offset < bytes.length) {
                    target.put(bytes, (int) offset, Math.min(target.remaining(), bytes.length - (int) offset));
                }
            }

            @Override
            public void close() {
                // There is nothing to give back.
            }
        };
    }
}
