package io.afterimage.block;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Bytes at offsets: the one form in which a disk is passed between capture, images, overlays, NBD, FUSE and restore.
 *
 * <p>The size never changes while the device is open. A range handed to a method lies within {@code [0, size())}, or the
 * method throws {@link IndexOutOfBoundsException} and has done nothing; an empty range is allowed and does nothing. Methods
 * block until done and may be called by many threads at once. Of two overlapping calls where one changes bytes, any order of
 * their bytes may be seen; a call that has returned is seen by every call that begins afterwards.
 *
 * <p>An {@link IOException} from a read means that <em>no</em> byte of the target may be believed. Interrupting a thread ends
 * a blocked call with an {@code IOException} where the device can do so.
 */
public interface BlockDevice extends Closeable {

    /** The size in bytes; at least 0, of any alignment. */
    long size();

    /** Fills {@code target} up to its limit with the bytes from {@code offset} on, and moves its position there. */
    void read(long offset, ByteBuffer target) throws IOException;

    /**
     * Like {@link #read} if all the bytes are at hand in memory. Never blocks, so that an event loop may call it.
     *
     * @return false, with {@code target} as it was, when the bytes are not at hand: call {@link #read} from a thread that may wait
     */
    default boolean readResident(long offset, ByteBuffer target) {
        return false;
    }

    /** Takes bytes that a device lends. */
    interface Borrower {

        /**
         * Takes the next piece of the range asked for.
         *
         * @param bytes a direct buffer of the borrower's own, from position to limit; the bytes in it do not change until released
         * @param release to be run exactly once, by any thread, when the bytes are no longer needed
         */
        void borrow(ByteBuffer bytes, Runnable release);
    }

    /**
     * Lends bytes that are at hand in memory, instead of copying them. Never blocks. For long reads whose bytes go straight to a
     * socket; devices whose bytes may change under the borrower, or that have nothing in direct memory, do not lend.
     *
     * @return false, with nothing lent, when the device does not lend all of these bytes now: use {@link #readResident}
     */
    default boolean lendResident(long offset, int length, Borrower borrower) {
        return false;
    }

    /** Whether interrupting a thread that is in {@link #read} ends that read soon, with an exception, and disturbs no other call. */
    default boolean canInterruptReads() {
        return false;
    }

    /** Asks for bytes to be made quick to read. A hint: returns at once, never fails. */
    default void prefetch(ByteRange range) {}

    /**
     * What is known of {@code range} without reading it: extents that begin at its offset, cover it without a gap and end
     * at its end. Neighbours differ in kind.
     *
     * @param limit the most extents that the caller wants, at least 1; the answer may end early at that count
     */
    default List<Extent> extents(ByteRange range, int limit) throws IOException {
        checkRange(range.offset(), range.length());
        return range.isEmpty() ? List.of() : List.of(new Extent(range, Extent.Kind.DATA));
    }

    /** Whether the methods that change bytes work; when not, they throw {@link ReadOnlyDeviceException}. */
    default boolean canWrite() {
        return false;
    }

    /** Whether {@link #zero} is quick, whatever the length: by metadata, not by writing. */
    default boolean canZeroFast() {
        return false;
    }

    /** Writes the remaining bytes of {@code source} at {@code offset}. Durable only after a {@link #flush}. */
    default void write(long offset, ByteBuffer source) throws IOException {
        throw new ReadOnlyDeviceException();
    }

    /**
     * Makes the bytes of the range read as zeros.
     *
     * @param mayFree whether the space may be given back; if not, a later write to the range must not fail for want of space
     */
    default void zero(ByteRange range, boolean mayFree) throws IOException {
        throw new ReadOnlyDeviceException();
    }

    /** Says that the bytes are no longer wanted: from now on they read as zeros, or as before. */
    default void trim(ByteRange range) throws IOException {
        throw new ReadOnlyDeviceException();
    }

    /** Returns when every change whose call had returned before is durable. */
    default void flush() throws IOException {}

    /** Throws {@link IndexOutOfBoundsException} unless {@code [offset, offset + length)} lies within the device. */
    default void checkRange(long offset, long length) {
        if (offset < 0 || length < 0 || offset > size() - length) {
            throw new IndexOutOfBoundsException(
                    "offset " + offset + ", length " + length + " is not within the device's " + size() + " bytes");
        }
    }
}
