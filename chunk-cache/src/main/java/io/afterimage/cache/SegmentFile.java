package io.afterimage.cache;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * One file of cached frames, written once from begin to end by one process, read by any. Its content is not trusted: it may end anywhere, and hold anything after a power
 * cut. Layout: {@code docs/formats/disk-cache.md}.
 */
final class SegmentFile implements Closeable {

    static final int HEADER = 16;
    static final int MAGIC = 0x41494443; // "AIDC"
    static final int VERSION = 1;
    private static final int TRAILER = 16;
    private static final int TRAILER_MAGIC = 0x41494458; // "AIDX"
    /** An index entry is the record's head and its position. */
    private static final int ENTRY = DiskRecord.HEAD + Long.BYTES;

    private final Path path;
    private final FileChannel channel;
    /** Up to here it has been scanned, or its index read. */
    private long known = HEADER;

    /** A record and where it begins. */
    record Found(DiskRecord record, long position) {}

    private SegmentFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    /** Opens a file for reading; empty if it is no segment of this version. */
    static Optional<SegmentFile> open(Path path) throws IOException {
        FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
        ByteBuffer header = ByteBuffer.allocate(HEADER);
        if (!readFully(channel, header, 0) || header.getInt(0) != MAGIC || header.getInt(4) != VERSION) {
            channel.close();
            return Optional.empty();
        }
        return Optional.of(new SegmentFile(path, channel));
    }

    static ByteBuffer header() {
        return ByteBuffer.allocate(HEADER).putInt(MAGIC).putInt(VERSION).putLong(0).flip();
    }

    /** The end of a file that is complete: an index of its records, so that the next reader need not look at each. */
    static ByteBuffer index(List<Found> records) {
        ByteBuffer index = ByteBuffer.allocate(records.size() * ENTRY + TRAILER);
        for (Found found : records) {
            found.record().put(index);
            index.putLong(found.position());
        }
        int length = index.position();
        return index.putInt(TRAILER_MAGIC).putInt(records.size()).putInt(DiskRecord.checksum(index, 0, length)).putInt(0).flip();
    }

    Path path() {
        return path;
    }

    /** The records that were not told before: all of a file just opened, later those that its writer has added. What follows damage is left out. */
    List<Found> more() throws IOException {
        long size = channel.size();
        List<Found> indexed = known == HEADER ? readIndex(size) : null;
        if (indexed != null) {
            known = size;
            return indexed;
        }
        List<Found> found = new ArrayList<>();
        ByteBuffer head = ByteBuffer.allocate(DiskRecord.HEAD);
        while (known + DiskRecord.HEAD <= size && readFully(channel, head.clear(), known)) {
            DiskRecord record = DiskRecord.get(head.flip());
            if (record == null || known + DiskRecord.HEAD + record.length() > size) {
                break;
            }
            found.add(new Found(record, known));
            known += DiskRecord.HEAD + record.length();
        }
        return found;
    }

    /** Null if there is none, or it is damaged. */
    private List<Found> readIndex(long size) throws IOException {
        ByteBuffer trailer = ByteBuffer.allocate(TRAILER);
        if (size < HEADER + TRAILER || !readFully(channel, trailer, size - TRAILER) || trailer.getInt(0) != TRAILER_MAGIC) {
            return null;
        }
        long length = (long) trailer.getInt(4) * ENTRY;
        if (length < 0 || length > size - HEADER - TRAILER || length > Integer.MAX_VALUE) {
            return null;
        }
        ByteBuffer index = ByteBuffer.allocate((int) length);
        if (!readFully(channel, index, size - TRAILER - length) || trailer.getInt(8) != DiskRecord.checksum(index, 0, (int) length)) {
            return null;
        }
        List<Found> found = new ArrayList<>();
        index.flip();
        while (index.hasRemaining()) {
            DiskRecord record = DiskRecord.get(index);
            long position = index.getLong();
            if (record != null && position >= HEADER && position <= size - DiskRecord.HEAD - record.length()) {
                found.add(new Found(record, position));
            }
        }
        return found;
    }

    /** The frame of the record at that position; null if it is not that record, or not there. */
    byte[] read(long position, DiskRecord wanted) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(DiskRecord.HEAD + wanted.length());
        if (!readFully(channel, bytes, position) || !wanted.equals(DiskRecord.get(bytes.flip()))) {
            return null;
        }
        byte[] frame = new byte[wanted.length()];
        bytes.get(frame);
        return frame;
    }

    /** The head of the record there; null if there is none. */
    DiskRecord recordAt(long position) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(DiskRecord.HEAD);
        return readFully(channel, head, position) ? DiskRecord.get(head.flip()) : null;
    }

    private static boolean readFully(FileChannel channel, ByteBuffer target, long position) throws IOException {
        while (target.hasRemaining()) {
            int count = channel.read(target, position + target.position());
            if (count < 0) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
