package io.afterimage.capture;

import java.io.IOException;

/**
 * What a guest has had its disks do so far, or within some time, all disks together; what a backup reads of them does not count.
 *
 * @param readNanos from when the guest's reads came to the hypervisor until they were answered, all added up; {@code writeNanos} the same of writes
 */
public record GuestLoad(long reads, long readNanos, long writes, long writeNanos) {

    /** Who counts it. */
    @FunctionalInterface
    public interface Meter {

        /** Since some moment that is always the same. */
        GuestLoad read() throws IOException;
    }

    /** Of two disks. */
    public GuestLoad plus(GuestLoad other) {
        return new GuestLoad(reads + other.reads, readNanos + other.readNanos, writes + other.writes, writeNanos + other.writeNanos);
    }

    /** What came after the earlier of two readings; nothing where a disk has gone between them, and with it what it counted. */
    GuestLoad since(GuestLoad earlier) {
        return new GuestLoad(
                Math.max(0, reads - earlier.reads), Math.max(0, readNanos - earlier.readNanos),
                Math.max(0, writes - earlier.writes), Math.max(0, writeNanos - earlier.writeNanos));
    }
}
