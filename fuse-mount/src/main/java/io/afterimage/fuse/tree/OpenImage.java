package io.afterimage.fuse.tree;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * A window of an image.
 *
 * @param image closed with this
 * @param window within the image
 */
record OpenImage(BlockDevice image, ByteRange window) implements OpenFile {

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        if (offset >= window.length()) {
            return;
        }
        target.limit((int) Math.min(target.limit(), target.position() + window.length() - offset));
        long begin = window.offset() + offset;
        if (!image.readResident(begin, target)) {
            image.read(begin, target);
        }
    }

    @Override
    public void close() throws IOException {
        image.close();
    }
}
