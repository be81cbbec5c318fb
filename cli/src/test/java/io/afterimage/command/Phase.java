package io.afterimage.command;

import io.afterimage.lab.Tripwire;
import io.afterimage.lab.Tripwire.Call;
import io.afterimage.lab.Tripwire.Side;

/** Where a backup over QMP, into a folder called {@code repository}, is disturbed. In the order in which a backup comes by. */
enum Phase {
    START(Side.BEFORE, Call.RENAME, "/repository/leases/", false, false),
    LEASE_TAKEN(Side.AFTER, Call.RENAME, "/repository/leases/", false, false),
    BEFORE_THE_TRANSACTION(Side.BEFORE, Call.WRITE, "\"execute\":\"transaction\"", true, false),
    TRANSACTION_SENT(Side.AFTER, Call.WRITE, "\"execute\":\"transaction\"", true, false),
    /** The client's first word on the private NBD socket: QEMU exports the disk. */
    EXPORTED(Side.BEFORE, Call.WRITE, "IHAVEOPT", true, false),
    /** The first request to read, with a compact or an extended header. */
    READING(Side.AFTER, Call.WRITE,
            "\\x25\\x60\\x95\\x13\\x00\\x00\\x00\\x00|\\x21\\xe4\\x1c\\x71\\x00\\x00\\x00\\x00", true, false),
    PACK_WRITTEN(Side.BEFORE, Call.RENAME, "/repository/packs/", true, false),
    PACK_STORED(Side.AFTER, Call.RENAME, "/repository/packs/", true, false),
    MANIFEST_STORED(Side.AFTER, Call.RENAME, "/repository/manifests/", true, false),
    DESCRIPTOR_WRITTEN(Side.BEFORE, Call.RENAME, "/repository/points/", true, false),
    DESCRIPTOR_STORED(Side.AFTER, Call.RENAME, "/repository/points/", true, true),
    JOB_ENDED(Side.AFTER, Call.WRITE, "\"execute\":\"job-cancel\"", true, true),
    OLD_BITMAP_REMOVED(Side.AFTER, Call.WRITE, "\"execute\":\"block-dirty-bitmap-remove\"", false, true);

    private final Side side;
    private final Call call;
    private final String pattern;
    private final boolean leavesTraces;
    private final boolean isCommitted;

    Phase(Side side, Call call, String pattern, boolean leavesTraces, boolean isCommitted) {
        this.side = side;
        this.call = call;
        this.pattern = pattern;
        this.leavesTraces = leavesTraces;
        this.isCommitted = isCommitted;
    }

    /** Whether there is more in QEMU than bitmaps. */
    boolean leavesTraces() {
        return leavesTraces;
    }

    /** Whether the point is there. */
    boolean isCommitted() {
        return isCommitted;
    }

    /** Stops a backup here. */
    Tripwire tripwire() {
        return Tripwire.at(side, call, 1, pattern);
    }
}
