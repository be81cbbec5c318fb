package io.afterimage.overlay;

import io.afterimage.block.DeviceFullException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.UUID;

/**
 * The file {@code map}: which blocks are where, as far as that is durable ({@code docs/formats/overlay.md}). It begins with a header and a
 * checkpoint, all that was known when the file was made; behind them grows a log, one record a flush. When the log has become long another file takes
 * the place of this one.
 *
 * <p>A record begins where no earlier one has a byte in the same 4 KiB, so that a power cut that spoils the last spoils it alone; and the next is written only when it is
 * durable. So one that does not verify ends the log, unless a good one lies behind it: then the file is damaged. For one thread at a time.
 */
final class OverlayMap implements Closeable {

    static final String NAME = "map";
    private static final String NEXT = "map.new";

    /** A log shorter than this is not worth another file. */
    static final long SHORT_LOG = 4 << 20;

    private final OverlayFolder folder;
    private final MapHeader header;
    private OverlayFolder.Contents file;
    private long checkpointEnd;
    private long end;
    private long sequence;

    private OverlayMap(OverlayFolder folder, MapHeader header, OverlayFolder.Contents file) {
        this.folder = folder;
        this.header = header;
        this.file = file;
        sequence = header.sequence();
        checkpointEnd = MapHeader.LENGTH + header.checkpoint();
        end = MapHeader.LENGTH;
    }

    /** Makes the map of an overlay that nothing was written to. */
    static void create(OverlayFolder folder, UUID id, long diskSize) throws IOException {
        try (OverlayFolder.Contents file = folder.create(NAME)) {
            file.write(0, new MapHeader(id, diskSize, 0, 0).encode());
            file.sync();
        }
        folder.sync();
    }

    /**
     * Reads the map into {@code states}, of the same disk, that are untouched.
     *
     * @throws OverlayException if it is damaged
     */
    static OverlayMap open(OverlayFolder folder, long diskSize, BlockStates states) throws IOException {
        OverlayFolder.Contents file = folder.open(NAME);
        try {
            MapHeader header = MapHeader.read(file, folder, diskSize);
            OverlayMap map = new OverlayMap(folder, header, file);
            map.readAll(states);
            // A process that was killed may have written what is read here, and given the file its name, and not have come to sync the one or the other.
            file.sync();
            folder.sync();
            return map;
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private void readAll(BlockStates states) throws IOException {
        long size = file.size();
        while (end < size) {
            MapRecord record = MapRecord.read(file, end, size, header.id());
            if (record == null || record.sequence() != sequence) {
                break;
            }
            for (MapRecord.Page page : record.pages()) {
                if (page.number() < 0 || page.number() >= states.pages() || !states.load(page.number(), page.image())) {
                    throw damaged("it names blocks that the disk does not have");
                }
            }
            end += record.length();
            sequence++;
        }
        if (end < checkpointEnd) {
            throw damaged("its checkpoint does not verify or is cut off");
        }
        for (long at = end + BlockStates.BLOCK; at < size; at += BlockStates.BLOCK) {
            MapRecord later = MapRecord.read(file, at, size, header.id());
            if (later != null && later.sequence() >= sequence) {
                throw damaged("a record in the middle does not verify");
            }
        }
    }

    private OverlayException damaged(String how) {
        return MapHeader.damaged(folder, how);
    }

    /** Whether the log has grown so long that a {@link #checkpoint} is due. */
    boolean isLong(long shortLog) {
        return end - checkpointEnd > Math.max(shortLog, checkpointEnd);
    }

    /** Whether there is nothing behind the checkpoint. */
    boolean isCompact() {
        return end == checkpointEnd;
    }

    /**
     * Makes pages durable that have changed, at most {@link MapRecord#MOST_PAGES}.
     *
     * @throws DeviceFullException if there is no room: nothing has happened, and it may be tried again. After any other exception nothing is known
     */
    void append(List<MapRecord.Page> pages) throws IOException {
        ByteBuffer record = new MapRecord(sequence, pages).encode(header.id());
        int length = record.remaining();
        file.write(end, record);
        file.sync();
        end += length;
        sequence++;
    }

    /**
     * Makes a new file of all pages that are not untouched, which takes the place of this one.
     *
     * @throws DeviceFullException as {@link #append}
     */
    void checkpoint(List<MapRecord.Page> pages) throws IOException {
        OverlayFolder.Contents next = folder.create(NEXT);
        long number = sequence;
        long at = MapHeader.LENGTH;
        try {
            for (int from = 0; from < pages.size(); from += MapRecord.MOST_PAGES) {
                List<MapRecord.Page> some = pages.subList(from, Math.min(pages.size(), from + MapRecord.MOST_PAGES));
                ByteBuffer record = new MapRecord(number++, some).encode(header.id());
                int length = record.remaining();
                next.write(at, record);
                at += length;
            }
            next.write(0, new MapHeader(header.id(), header.diskSize(), sequence, at - MapHeader.LENGTH).encode());
            next.sync();
            folder.rename(NEXT, NAME);
            folder.sync();
        } catch (IOException | RuntimeException e) {
            next.close();
            throw e;
        }
        OverlayFolder.Contents before = file;
        file = next;
        sequence = number;
        checkpointEnd = at;
        end = at;
        before.close();
    }

    @Override
    public void close() throws IOException {
        file.close();
    }
}
