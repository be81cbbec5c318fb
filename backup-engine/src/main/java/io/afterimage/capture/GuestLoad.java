package io.afterimage.capture;

import java.io.IOException;

/**
 * What a guest has had its disks do so far, or within some time, all disks together; what a backup reads of them does not count. And what it waited for.
 *
 * @param readNanos from when the guest's reads came to the hypervisor until they were answered, all added up; {@code writeNanos} the same of writes
 * @param waitNanos for how long the hypervisor's threads had something to do and no processor to do it on, all added up; 0 where that is not known
 */
public record GuestLoad(long reads, long readNanos, long writes, long writeNanos, long waitNanos) {

    /** Of which only the disks are known. */
    public GuestLoad(long reads, long readNanos, long writes, long writeNanos) {
        this(reads, readNanos, writes, writeNanos, 0);
    }

    /** Who counts it. */
    @FunctionalInterface
    public interface Meter {

        /** Since some moment that is always the same. */
        GuestLoad read() throws IOException;
    }

    /** Of two disks. */
    public GuestLoad plus(GuestLoad other) {
        return new GuestLoad(
                reads + other.reads, readNanos + other.readNanos, writes + other.writes, writeNanos + other.writeNanos,
                waitNanos + other.waitNanos);
    }

    /** What came after the earlier of two readings; nothing where a disk or a thread has gone between them, and with it what it counted. */
    GuestLoad since(GuestLoad earlier) {
        return new GuestLoad(
                Math.max(0, reads - earlier.reads), Math.max(0, readNanos - earlier.readNanos),
                Math.max(0, writes - earlier.writes), Math.max(0, writeNanos - earlier.writeNanos),
                Math.max(0, waitNanos - earlier.waitNanos));
    }
}
