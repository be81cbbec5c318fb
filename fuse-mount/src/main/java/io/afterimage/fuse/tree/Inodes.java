package io.afterimage.fuse.tree;

import io.afterimage.manifest.PointId;

/** Inode numbers that follow from names and ids alone, so that they are the same in every mount. Two nodes share one as seldom as two of 2^63 numbers are equal. */
final class Inodes {

    /** As FUSE has it. */
    static final long ROOT = 1;

    private Inodes() {}

    /** Of a point's folder: its id is random. */
    static long of(PointId point) {
        return positive(mix(Long.parseUnsignedLong(point.hex(), 0, 16, 16)) ^ Long.parseUnsignedLong(point.hex(), 16, 32, 16));
    }

    /** Of what has that name in a folder. */
    static long child(long folder, String name) {
        long number = mix(folder);
        for (int index = 0; index < name.length(); index++) {
            number = mix(number + name.charAt(index));
        }
        return positive(number);
    }

    /** Programs of old take it for signed, and 0 for none. */
    private static long positive(long number) {
        return Math.max(ROOT + 1, number & Long.MAX_VALUE);
    }

    /** The finalizer of SplitMix64 (Steele, Lea, Flood 2014): each bit of the number changes half of the answer's. */
    private static long mix(long number) {
        long mixed = number + 0x9E3779B97F4A7C15L;
        mixed = (mixed ^ (mixed >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
