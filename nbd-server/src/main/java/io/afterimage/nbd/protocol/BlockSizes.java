package io.afterimage.nbd.protocol;

/**
 * Block size constraints of an export in bytes ("Size constraints").
 *
 * @param minimum every offset and length is a multiple of it; a power of two up to 64 KiB
 * @param preferred what is quick; a power of two, at least 512 and {@code minimum}
 * @param maximum most bytes of a payload in one request or reply; a multiple of {@code minimum}, at least {@code preferred}
 */
public record BlockSizes(int minimum, int preferred, int maximum) {

    /** Any byte range, whole pages at best, 32 MiB at most: what clients assume of a server that says nothing, and a little more. */
    public static final BlockSizes DEFAULT = new BlockSizes(1, 4096, 32 << 20);

    public BlockSizes {
        if (!isPowerOfTwo(minimum) || minimum > 1 << 16) {
            throw new IllegalArgumentException("the minimum block size is a power of two up to 65536: " + minimum);
        }
        if (!isPowerOfTwo(preferred) || preferred < Math.max(512, minimum)) {
            throw new IllegalArgumentException("the preferred block size is a power of two of at least 512: " + preferred);
        }
        if (maximum < preferred || maximum % minimum != 0) {
            throw new IllegalArgumentException("the largest payload is a multiple of the smallest block: " + maximum);
        }
    }

    private static boolean isPowerOfTwo(int value) {
        return value > 0 && (value & (value - 1)) == 0;
    }
}
