package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameHeader;
import io.afterimage.chunk.PackId;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackHeader;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.DamagedFrame;
import io.afterimage.repository.FrameLocation;
import io.afterimage.repository.FrameRun;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * Looks at one pack: its header, its index, and the frames in it that points need. For one thread. A failure of the store that says nothing about the
 * pack ends the check; a frame that does not verify is fetched once more before it counts as damaged, since what brings it may err, too.
 */
final class PackCheck {

    private final Repository repository;
    private final ChunkReader reader;
    private final ChunkSize chunkSize;
    private final PackId pack;
    private final List<ChunkAddress> needed;
    private final Map<ChunkAddress, ChunkId> listed = new LinkedHashMap<>();

    private final Map<ChunkAddress, ChunkId> verified = new LinkedHashMap<>();

    /** What frames say that do not verify. */
    private final Map<ChunkAddress, Optional<ChunkId>> claimed = new LinkedHashMap<>();

    private String problem;
    private String detail;
    private int read;

    /** @param needed frames of this pack, in order */
    PackCheck(Repository repository, PackId pack, List<ChunkAddress> needed) {
        this.repository = repository;
        this.pack = pack;
        this.needed = needed;
        reader = new ChunkReader(repository);
        chunkSize = repository.chunkSize();
    }

    /**
     * @param length the pack's, as the store lists it; none if it does not, or not yet
     * @param chunks whether to read the frames though the pack itself looks well
     */
    PackState run(OptionalLong length, boolean chunks) throws IOException {
        examine(length);
        if (problem != null && length.isPresent()) {
            problem = null;
            examine(length);
        }
        if (problem == null && !chunks) {
            return new PackState(pack, Optional.empty(), List.of(), Optional.empty(), 0);
        }
        Set<ChunkAddress> late = length.isEmpty() && isThereAllTheSame() ? home(needed) : Set.of();
        if (length.isEmpty() && late.containsAll(needed)) {
            return new PackState(pack, Optional.empty(), List.of(), Optional.empty(), read);
        }
        // Of a pack that is no good, what lies elsewhere, too, is no matter; else home comes first.
        Set<ChunkAddress> open = new LinkedHashSet<>(needed);
        if (problem != null) {
            open.removeAll(moved(open));
            if (open.isEmpty()) {
                return new PackState(pack, Optional.empty(), List.of(), Optional.empty(), read);
            }
        }
        Set<ChunkAddress> readable = length.isPresent() ? home(open) : late;
        Set<ChunkAddress> lost = new LinkedHashSet<>(open);
        lost.removeAll(readable);
        if (problem == null) {
            lost.removeAll(moved(lost));
        }
        List<DamagedFrame> frames = new ArrayList<>();
        for (ChunkAddress address : open) {
            boolean isReadable = readable.contains(address);
            if (lost.contains(address) || problem != null) {
                frames.add(new DamagedFrame(address, chunk(address), isReadable && !lost.contains(address)));
            }
        }
        return new PackState(pack, Optional.ofNullable(problem), frames, Optional.ofNullable(detail), read);
    }

    private Optional<ChunkId> chunk(ChunkAddress address) {
        ChunkId id = verified.getOrDefault(address, listed.get(address));
        return id != null ? Optional.of(id) : claimed.getOrDefault(address, Optional.empty());
    }

    private void examine(OptionalLong length) throws IOException {
        listed.clear();
        if (length.isEmpty()) {
            problem = "it is not there";
            return;
        }
        try {
            for (PackEntry entry : repository.entries(pack, length.getAsLong())) {
                listed.put(entry.address(), entry.id());
            }
            PackHeader.check(pack, chunkSize, header());
            if (!listed.keySet().containsAll(needed)) {
                problem = "its index does not list chunks that points need of it";
            }
        } catch (CorruptPackException e) {
            problem = e.finding();
        } catch (IOException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            problem = "it is not there, or ends too early";
        }
    }

    /** Some stores list an object only some time after it was stored, and hand it out at once. */
    private boolean isThereAllTheSame() throws IOException {
        try {
            header();
            return true;
        } catch (IOException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            return false;
        }
    }

    private ByteBuffer header() throws IOException {
        ByteBuffer header = ByteBuffer.allocate(PackHeader.LENGTH);
        repository.store().get(PackObjects.key(pack), 0, header);
        return header.flip();
    }

    /** Those that are whole in this pack. */
    private Set<ChunkAddress> home(Collection<ChunkAddress> addresses) throws IOException {
        return readable(addresses.stream().map(FrameLocation::home).toList());
    }

    /** Those that are whole elsewhere, neighbours looked up together, and what is not found so one by one. */
    private Set<ChunkAddress> moved(Collection<ChunkAddress> addresses) throws IOException {
        if (addresses.isEmpty()) {
            return Set.of();
        }
        List<FrameLocation> places = reader.moved(addresses);
        Set<ChunkAddress> found = new LinkedHashSet<>(readable(places));
        for (FrameLocation place : places) {
            if (!found.contains(place.address()) && isElsewhere(place.address())) {
                found.add(place.address());
            }
        }
        return found;
    }

    private boolean isElsewhere(ChunkAddress address) throws IOException {
        try {
            reader.readMoved(address, new byte[chunkSize.bytes()]);
            read++;
            return true;
        } catch (IOException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            return false;
        }
    }

    private Set<ChunkAddress> readable(List<FrameLocation> frames) throws IOException {
        Set<ChunkAddress> whole = new LinkedHashSet<>();
        byte[] chunk = new byte[chunkSize.bytes()];
        for (FrameRun run : FrameRun.of(frames, chunkSize)) {
            byte[] bytes = fetch(run);
            for (FrameLocation frame : run.frames()) {
                boolean isWhole = bytes.length > 0 && decode(bytes, run.offset(frame, chunkSize), frame, chunk);
                if (isWhole || again(frame, chunk)) {
                    whole.add(frame.address());
                }
            }
        }
        return whole;
    }

    /** Nothing if the pack does not have all of it. */
    private byte[] fetch(FrameRun run) throws IOException {
        try {
            return reader.fetch(run);
        } catch (IOException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            detail = e.getMessage();
            return new byte[0];
        }
    }

    private boolean again(FrameLocation frame, byte[] chunk) throws IOException {
        byte[] bytes = fetch(new FrameRun(List.of(frame)));
        return bytes.length > 0 && decode(bytes, 0, frame, chunk);
    }

    private boolean decode(byte[] bytes, int offset, FrameLocation frame, byte[] chunk) throws IOException {
        try {
            ChunkId found = reader.decode(bytes, offset, frame, chunk);
            ChunkId promised = frame.isHome() ? listed.get(frame.address()) : found;
            if (promised != null && !promised.equals(found)) {
                problem = "its index lists another chunk at " + frame.address() + " than lies there";
            }
            verified.put(frame.address(), found);
            read++;
            return true;
        } catch (IOException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            detail = e.getMessage();
            if (frame.isHome() && repository.trustsUnverifiedHeaders()) {
                claimed.put(frame.address(), FrameHeader.claimedChunk(bytes, offset, frame.place()));
            }
            return false;
        }
    }
}
