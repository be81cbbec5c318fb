package io.afterimage.cache;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The segment file that this process writes. Nothing is synced: what a power cut takes is fetched again. */
final class SegmentWriter implements Closeable {

    private final Path path;
    private final FileChannel channel;
    private final List<SegmentFile.Found> records = new ArrayList<>();
    private long end = SegmentFile.HEADER;

    /** Makes the file, which must not be there. */
    SegmentWriter(Path path) throws IOException {
        this.path = path;
        channel = FileChannel.open(
                path,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        write(SegmentFile.header(), 0);
    }

    Path path() {
        return path;
    }

    long end() {
        return end;
    }

    /** Appends a frame and tells where its record begins. */
    long append(DiskRecord record, byte[] frame) throws IOException {
        ByteBuffer bytes = ByteBuffer.allocate(DiskRecord.HEAD + frame.length);
        record.put(bytes);
        write(bytes.put(frame).flip(), end);
        long position = end;
        end += bytes.limit();
        records.add(new SegmentFile.Found(record, position));
        return position;
    }

    private void write(ByteBuffer bytes, long position) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes, position + bytes.position());
        }
    }

    /** Adds the index. Without it the file is good, too, and takes longer to read. */
    @Override
    public void close() throws IOException {
        try (channel) {
            write(SegmentFile.index(records), end);
        }
    }
}
