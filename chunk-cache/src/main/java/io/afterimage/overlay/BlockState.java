package io.afterimage.overlay;

import io.afterimage.block.Extent;

/** Where the bytes of a block are. */
enum BlockState {
    /** In the base: never written to. */
    BASE(0),
    /** In the data file. */
    DATA(1),
    /** Nowhere: zeros. */
    HOLE(2),
    /** Zeros, with room in the data file that a later write is sure to find. */
    ZERO(3);

    private static final BlockState[] STATES = {BASE, DATA, HOLE, ZERO};

    private final int number;

    BlockState(int number) {
        this.number = number;
    }

    static BlockState of(int number) {
        return STATES[number];
    }

    /** Two bits, in the file of the map as well. */
    int number() {
        return number;
    }

    /** Whether it takes up room. */
    boolean isAllocated() {
        return this == DATA || this == ZERO;
    }

    /** What a block of this state is to whoever asks for extents; of the base, ask the base. */
    Extent.Kind kind() {
        return switch (this) {
            case BASE, DATA -> Extent.Kind.DATA;
            case HOLE -> Extent.Kind.HOLE;
            case ZERO -> Extent.Kind.ZERO;
        };
    }
}
