package io.afterimage.fuse.partition;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * A disk as its partition table counts it.
 *
 * @param disk of any size
 * @param size of a sector, in bytes
 */
record Sectors(BlockDevice disk, int size) {

    /** The number of whole sectors. */
    long count() {
        return disk.size() / size;
    }

    /** {@code length} bytes from the beginning of a sector on, little-endian; empty if they are not all on the disk. */
    Optional<ByteBuffer> read(long sector, int length) throws IOException {
        if (sector < 0 || sector >= count() || length > disk.size() - sector * size) {
            return Optional.empty();
        }
        ByteBuffer bytes = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
        disk.read(sector * size, bytes);
        return Optional.of(bytes.flip());
    }

    /**
     * The part of a run of sectors that is on the disk, as the kernel cuts it; empty if none is.
     *
     * @param first any number, also one that has overflown
     * @param length the same
     */
    Optional<ByteRange> range(long first, long length) {
        if (first < 0 || first >= count() || length <= 0) {
            return Optional.empty();
        }
        long begin = first * size;
        return Optional.of(new ByteRange(begin, length > count() - first ? disk.size() - begin : length * size));
    }
}
