package io.afterimage.repository;

import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.store.Listing;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a backup does about the {@linkplain Damage damage} that verify has recorded: it refers to none of it, {@linkplain #toReadAgain reads again} what it would
 * have inherited, {@linkplain #carryOver carries} what is still whole out of packs that are not, and when its point is there it {@linkplain #finish tells}
 * where the chunks lie that it has stored anew, so that older points are whole again.
 *
 * <p>Killed at any moment it has done no harm: moves lead to frames that are stored. What it did not come to do the next backup does, since the records
 * stay until verify finds the chunks readable. Thread-safe but for {@link #carryOver} and {@link #finish}.
 */
final class Healing {

    private static final Logger LOG = LoggerFactory.getLogger(Healing.class);

    private final Repository repository;
    private final Map<PackId, Damage> damaged;
    private final Map<ChunkAddress, DamagedFrame> frames = new HashMap<>();
    private final Map<ChunkAddress, ChunkId> chunks = new HashMap<>();
    private final Set<PackId> moved = new HashSet<>();
    private final Map<PackId, List<Move>> movesRead = new HashMap<>();

    /** @param index may know what lay in packs of which nothing else is left */
    Healing(Repository repository, ChunkIndex index) throws IOException {
        this.repository = repository;
        damaged = Damage.list(repository).stream().collect(Collectors.toMap(Damage::pack, damage -> damage));
        damaged.values().forEach(damage -> damage.frames().forEach(frame -> frames.put(frame.address(), frame)));
        frames.forEach((address, frame) -> frame.chunk().ifPresent(chunk -> chunks.put(address, chunk)));
        Set<PackId> unknown = frames.keySet().stream()
                .filter(address -> !chunks.containsKey(address))
                .map(ChunkAddress::pack)
                .collect(Collectors.toSet());
        if (!unknown.isEmpty()) {
            index.chunksOf(unknown).forEach(chunks::putIfAbsent);
            for (Damage damage : damaged.values()) {
                remember(damage);
            }
        }
        Listing objects = repository.store().list(MoveObjects.ALL);
        while (objects.hasNext()) {
            MoveObjects.pack(objects.next().key()).ifPresent(moved::add);
        }
    }

    /** The index forgets where a chunk lay when it is stored anew; whoever dies between that and telling older points must leave it known. */
    private void remember(Damage damage) throws IOException {
        List<DamagedFrame> known = damage.frames().stream()
                .map(frame -> new DamagedFrame(frame.address(), Optional.ofNullable(chunks.get(frame.address())), frame.readable()))
                .toList();
        if (!known.equals(damage.frames())) {
            new Damage(damage.pack(), damage.whole(), known).put(repository);
        }
    }

    /** Whether no new point may refer to the frame: it is damaged, or its pack is, or has been emptied. */
    boolean isSetAside(ChunkAddress address) {
        return moved.contains(address.pack()) || isDamaged(address);
    }

    private boolean isDamaged(ChunkAddress address) {
        Damage damage = damaged.get(address.pack());
        return damage != null && (damage.whole() || frames.containsKey(address));
    }

    private boolean isUnreadable(ChunkAddress address) {
        DamagedFrame frame = frames.get(address);
        // A whole pack of which no frames are named is one whose record could not be read.
        return frame != null ? !frame.readable() : damaged.containsKey(address.pack()) && damaged.get(address.pack()).frames().isEmpty();
    }

    /** Where a disk has chunks that cannot be read: ordered ranges of whole chunks, cut at the disk's end. */
    List<ByteRange> toReadAgain(BlockMap map) {
        List<ByteRange> ranges = new ArrayList<>();
        if (damaged.isEmpty()) {
            return ranges;
        }
        long size = map.chunkSize().bytes();
        for (long chunk = map.next(0, true); chunk < map.chunks(); chunk = map.next(chunk + 1, true)) {
            if (isUnreadable(map.address(chunk))) {
                ranges.add(ByteRange.between(chunk * size, Math.min((chunk + 1) * size, map.diskSize())));
            }
        }
        return ranges;
    }

    /** Adds to the writer's packs what is whole in packs that are not, so that points need those packs no more. */
    void carryOver(PointWriter writer) throws IOException {
        ChunkReader reader = new ChunkReader(repository);
        for (DamagedFrame frame : frames.values()) {
            if (!frame.readable() || isMoved(frame.address()) || isStored(frame.address(), writer)) {
                continue;
            }
            try {
                byte[] chunk = new byte[repository.chunkSize().bytes()];
                ChunkId id = reader.read(frame.address(), chunk);
                chunks.put(frame.address(), id);
                if (writer.find(id) == null) {
                    writer.add(writer.encode(id, chunk, 0));
                }
            } catch (IOException e) {
                if (!ChunkReader.isDamage(e)) {
                    throw e;
                }
                LOG.warn("Chunk {} is readable no more: {}", frame.address(), e.getMessage());
            }
        }
    }

    private boolean isStored(ChunkAddress address, PointWriter writer) {
        ChunkId chunk = chunks.get(address);
        return chunk != null && writer.find(chunk) != null;
    }

    private boolean isMoved(ChunkAddress address) throws IOException {
        if (!moved.contains(address.pack())) {
            return false;
        }
        return movesOf(address.pack()).stream().anyMatch(move -> move.offset() == address.offset() && !isDamaged(move.to()));
    }

    private List<Move> movesOf(PackId pack) throws IOException {
        List<Move> moves = movesRead.get(pack);
        if (moves == null) {
            moves = repository.moves().fresh(pack);
            movesRead.put(pack, moves);
        }
        return moves;
    }

    /** Stores moves to the equals of damaged frames, wherever this backup has stored or found them. The point is there already, and its packs. */
    void finish(KnownChunks stored) {
        List<Move> moves = new ArrayList<>();
        try {
            for (DamagedFrame frame : frames.values()) {
                Optional<ChunkId> chunk = Optional.ofNullable(chunks.get(frame.address()));
                ChunkAddress equal = chunk.map(stored::find).orElse(null);
                if (equal != null && !isMoved(frame.address())) {
                    moves.add(new Move(frame.address().pack(), frame.address().offset(), chunk.get(), equal));
                }
            }
            repository.moves().put(moves);
            if (!moves.isEmpty()) {
                LOG.info("{} damaged chunks are whole again.", moves.size());
            }
        } catch (IOException e) {
            // The point is there, which is what was asked for; the next backup tries again.
            LOG.warn("Damaged chunks were stored anew, but older points do not know yet where: {}", e.getMessage());
        }
    }
}
