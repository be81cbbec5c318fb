package io.afterimage.overlay;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.DeviceFullException;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * What makes an overlay's changes durable: the pages of states that have changed, and the map that they are recorded in once the data file has been synced. When a sync has
 * failed, nothing is recorded any more. Thread-safe.
 */
final class OverlayRecord implements Closeable {

    private final OverlayFolder folder;
    private final BlockDevice data;
    private final BlockStates states;
    private final OverlayMap map;
    private final long shortLog;
    /** Pages that differ from what is recorded of them. */
    private final Set<Integer> changed = ConcurrentHashMap.newKeySet();

    private final FlushQueue flushes = new FlushQueue(this::flushNow);
    private volatile IOException broken;
    private volatile boolean last;

    /**
     * Reads what is recorded into {@code states}.
     *
     * @param data what {@code folder} has of blocks
     * @param shortLog bytes that the map's log may have whatever the map's size
     */
    OverlayRecord(OverlayFolder folder, BlockDevice data, long diskSize, BlockStates states, long shortLog) throws IOException {
        this.folder = folder;
        this.data = data;
        this.states = states;
        this.shortLog = shortLog;
        map = OverlayMap.open(folder, diskSize, states);
    }

    /** To be called behind each change of states in that page. */
    void changed(int page) {
        changed.add(page);
    }

    /** Returns when all changes are durable that were made before. */
    void flush() throws IOException {
        flushes.await();
    }

    /** The same, in as few bytes as can be. */
    void flushForLast() throws IOException {
        last = true;
        if (broken == null) {
            flush();
        }
    }

    /** Ends all writing; {@code why} is one clause. */
    void end(String why) {
        broken = new IOException("the overlay in " + folder + " is " + why);
    }

    private void flushNow() throws IOException {
        requireSound();
        // In this order: the image of a page that has been taken off the list has all that was on it, and is in the data file before the sync.
        List<Integer> taken = new ArrayList<>(changed);
        taken.forEach(changed::remove);
        try {
            boolean whole = map.isLong(shortLog) || taken.size() > MapRecord.MOST_PAGES || (last && !(map.isCompact() && taken.isEmpty()));
            List<MapRecord.Page> pages = images(whole ? touched() : taken);
            data.flush();
            record(pages, whole, Set.copyOf(taken));
        } catch (DeviceFullException e) {
            changed.addAll(taken);
            throw e;
        } catch (IOException | RuntimeException e) {
            changed.addAll(taken);
            broken = new IOException(
                    "what was written to the overlay in " + folder + " could not be made durable (" + e.getMessage()
                            + "): nothing more is written until it is opened anew",
                    e);
            throw broken;
        }
    }

    private List<Integer> touched() {
        return IntStream.range(0, states.pages()).filter(page -> !states.isUntouched(page)).boxed().toList();
    }

    private List<MapRecord.Page> images(List<Integer> numbers) {
        return numbers.stream().map(page -> new MapRecord.Page(page, states.image(page))).toList();
    }

    private void record(List<MapRecord.Page> pages, boolean whole, Set<Integer> taken) throws IOException {
        List<MapRecord.Page> news = pages;
        if (whole) {
            try {
                map.checkpoint(pages);
                return;
            } catch (DeviceFullException e) {
                if (taken.size() > MapRecord.MOST_PAGES) {
                    throw e;
                }
                // There may be room for what is new.
                news = pages.stream().filter(page -> taken.contains(page.number())).toList();
            }
        }
        if (!news.isEmpty()) {
            map.append(news);
        }
    }

    /** Throws what has ended all writing, if anything has. */
    void requireSound() throws IOException {
        IOException failure = broken;
        if (failure != null) {
            throw new IOException(failure.getMessage(), failure);
        }
    }

    @Override
    public void close() throws IOException {
        map.close();
    }
}
