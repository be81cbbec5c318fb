package io.afterimage.chunk;

/**
 * The chunk size of a repository: the unit of change, hash, dedupe and compression. Fixed when the repository is made.
 *
 * <p>Frames are laid in packs at multiples of a <em>unit</em>, 1/256 of a chunk, so that the length of a compressed frame
 * is told in one byte.
 *
 * @param bytes a power of two from 4 KiB to 4 MiB
 */
public record ChunkSize(int bytes) {

    /** QEMU's bitmap granularity and qcow2's cluster: no byte is stored because its neighbour changed. */
    public static final ChunkSize DEFAULT = new ChunkSize(64 * 1024);

    private static final int MIN = 4 * 1024;
    private static final int MAX = 4 * 1024 * 1024;

    public ChunkSize {
        if (bytes < MIN || bytes > MAX || Integer.bitCount(bytes) != 1) {
            throw new IllegalArgumentException("a chunk size is a power of two from 4 KiB to 4 MiB, not " + bytes);
        }
    }

    /** The alignment of frames in a pack, in bytes. */
    public int unit() {
        return bytes / 256;
    }

    /** The number of chunks that a disk of {@code diskSize} bytes has; the last one may reach beyond its end. */
    public long count(long diskSize) {
        return (diskSize + bytes - 1) / bytes;
    }

    /** The number of units that {@code length} bytes take. */
    public int units(int length) {
        return (length + unit() - 1) / unit();
    }
}
