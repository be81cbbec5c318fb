package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import io.afterimage.store.ObjectNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs of frames out of the store, verified, wherever they lie. What is not found whole at home is looked for where it may have been moved. Blocks; thread-safe.
 */
final class StoreRuns {

    private static final Logger LOG = LoggerFactory.getLogger(StoreRuns.class);

    /** Is told of each frame of a run, once. */
    interface Receiver {

        /**
         * A chunk, verified.
         *
         * @param chunk is used again for the next one
         * @param frames the encoded frame from {@code offset} on; null if the chunk was found by a search
         */
        void landed(FrameLocation frame, byte[] chunk, byte[] frames, int offset);

        /** Whether somebody waits for it now: such are decoded first. */
        boolean isAwaited(ChunkAddress address);

        /** It cannot be read. */
        void crashed(ChunkAddress address, Exception failure);
    }

    private final ChunkReader reader;
    private final ChunkSize chunkSize;

    StoreRuns(ChunkReader reader, ChunkSize chunkSize) {
        this.reader = reader;
        this.chunkSize = chunkSize;
    }

    /** Where to look first. */
    FrameLocation locate(ChunkAddress address) {
        return reader.locate(address);
    }

    /** The bytes of a run into the first ones of {@code frames}, in one request. */
    void request(FrameRun run, byte[] frames) throws IOException {
        reader.fetch(run, frames);
    }

    /** Verifies a frame that was got elsewhere. */
    void decode(byte[] bytes, FrameLocation frame, byte[] chunk) throws IOException {
        reader.decode(bytes, 0, frame, chunk);
    }

    /** Takes the frames out of what was requested, and looks elsewhere for those that are not whole. */
    void land(FrameRun run, byte[] frames, Receiver receiver) {
        chase(decode(run, frames, receiver), receiver);
    }

    /** The same for a request that has failed. */
    void recover(FrameRun run, Exception failure, Receiver receiver) {
        Map<FrameLocation, Exception> missed = new LinkedHashMap<>();
        if (run.frames().size() > 1 && ChunkReader.isDamage(failure) && !(failure instanceof ObjectNotFoundException)) {
            // The pack may be cut off behind the first of them: what is there shall be read.
            for (FrameLocation frame : run.frames()) {
                FrameRun alone = new FrameRun(List.of(frame));
                try {
                    missed.putAll(decode(alone, reader.fetch(alone), receiver));
                } catch (IOException | RuntimeException e) {
                    missed.put(frame, e);
                }
            }
        } else {
            run.frames().forEach(frame -> missed.put(frame, failure));
        }
        chase(missed, receiver);
    }

    /** Tells the frames that are not whole, and why. */
    private Map<FrameLocation, Exception> decode(FrameRun run, byte[] frames, Receiver receiver) {
        Map<FrameLocation, Exception> missed = new LinkedHashMap<>();
        byte[] chunk = new byte[chunkSize.bytes()];
        for (FrameLocation frame : awaitedFirst(run, receiver)) {
            int offset = run.offset(frame, chunkSize);
            try {
                reader.decode(frames, offset, frame, chunk);
            } catch (IOException | RuntimeException e) {
                missed.put(frame, e);
                continue;
            }
            receiver.landed(frame, chunk, frames, offset);
        }
        return missed;
    }

    /** Each is asked about once: somebody may begin to wait at any moment, and who sorts would see an order that contradicts itself. */
    private static List<FrameLocation> awaitedFirst(FrameRun run, Receiver receiver) {
        List<FrameLocation> awaited = new ArrayList<>();
        List<FrameLocation> others = new ArrayList<>();
        run.frames().forEach(frame -> (receiver.isAwaited(frame.address()) ? awaited : others).add(frame));
        awaited.addAll(others);
        return awaited;
    }

    /** What was not found at home is looked for, neighbours together, where it may have been moved; what is not there either, one by one. */
    private void chase(Map<FrameLocation, Exception> missed, Receiver receiver) {
        Map<ChunkAddress, Exception> lost = new LinkedHashMap<>();
        List<ChunkAddress> atHome = new ArrayList<>();
        List<ChunkAddress> moved = new ArrayList<>();
        missed.forEach((frame, failure) -> {
            lost.put(frame.address(), failure);
            if (!frame.isHome()) {
                moved.add(frame.address());
            } else if (ChunkReader.isDamage(failure)) {
                atHome.add(frame.address());
            }
        });
        moved.forEach(address -> search(address, lost, receiver));
        if (!atHome.isEmpty()) {
            try {
                for (FrameRun run : FrameRun.of(reader.moved(atHome), chunkSize)) {
                    run.frames().forEach(frame -> lost.remove(frame.address()));
                    follow(run, receiver);
                }
            } catch (IOException | RuntimeException e) {
                LOG.warn("Where chunks were moved cannot be found out: {}", e.getMessage());
            }
        }
        lost.forEach(receiver::crashed);
    }

    private void follow(FrameRun run, Receiver receiver) {
        try {
            land(run, reader.fetch(run), receiver);
        } catch (IOException | RuntimeException e) {
            recover(run, e, receiver);
        }
    }

    private void search(ChunkAddress address, Map<ChunkAddress, Exception> lost, Receiver receiver) {
        try {
            byte[] chunk = new byte[chunkSize.bytes()];
            reader.read(address, chunk);
            lost.remove(address);
            receiver.landed(FrameLocation.home(address), chunk, null, 0);
        } catch (IOException | RuntimeException e) {
            lost.put(address, e);
        }
    }
}
