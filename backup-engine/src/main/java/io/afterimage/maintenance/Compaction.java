package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.maintenance.GcReport.Tally;
import io.afterimage.pack.PackBuilder;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.ChunkReader;
import io.afterimage.repository.Move;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries what is needed out of packs of which little is, and deletes those packs. First the new pack is stored, then the moves that lead into it, then the old
 * pack goes: ended anywhere, each chunk lies where its manifest says or where moves say, and what was stored in vain is garbage. No manifest is
 * touched. A pack with a needed frame that does not verify stays as it is, for verify to tell.
 */
final class Compaction {

    private static final Logger LOG = LoggerFactory.getLogger(Compaction.class);

    private final Repository repository;
    private final Changes changes;
    private final LiveFrames live;
    private final MoveListing moves;
    private final Map<PackId, Long> lengths;
    private final LockedObjects locked;
    private final ChunkReader reader;
    private final SecureRandom random;
    /** Packs whose frames are all in the new pack, or in those stored before, with what is to be told of them. */
    private final Map<PackId, List<Move>> emptied = new LinkedHashMap<>();

    private PackBuilder target;
    private int deleted;
    private long won;

    /**
     * @param live comes to know what lies anew, as {@code moves} do
     * @param lengths of the packs that are there, now and afterwards
     * @param locked asked of packs at the last moment: a pack that a point has locked meanwhile stays
     */
    Compaction(
            Repository repository,
            SecureRandom random,
            Changes changes,
            LiveFrames live,
            MoveListing moves,
            Map<PackId, Long> lengths,
            LockedObjects locked) {
        this.repository = repository;
        this.random = random;
        this.changes = changes;
        this.live = live;
        this.moves = moves;
        this.lengths = lengths;
        this.locked = locked;
        reader = new ChunkReader(repository);
        target = newPack();
    }

    /** Empties and deletes these packs, which are there and which no backup refers to anew. Tells how many went, and how much less is stored. */
    Tally run(List<PackId> packs) throws IOException {
        for (PackId pack : packs) {
            try {
                emptied.put(pack, empty(pack));
            } catch (IOException e) {
                if (!ChunkReader.isDamage(e)) {
                    throw e;
                }
                LOG.warn("The pack {} stays as it is: {}", pack, e.getMessage());
            }
        }
        flush();
        return new Tally(deleted, 0, won);
    }

    private List<Move> empty(PackId pack) throws IOException {
        byte[] bytes = repository.store().getWhole(PackObjects.key(pack), Math.toIntExact(lengths.get(pack)));
        List<ChunkAddress> frames = new ArrayList<>();
        live.of(pack).forEach((offset, lengthCode) -> frames.add(new ChunkAddress(pack, offset, lengthCode)));
        List<Move> moved = new ArrayList<>();
        byte[] chunk = new byte[repository.chunkSize().bytes()];
        for (ChunkAddress frame : frames) {
            if (isElsewhere(frame, chunk)) {
                continue;
            }
            ChunkId id = repository.decode(bytes, Math.toIntExact(frame.byteOffset(repository.chunkSize())), frame, chunk);
            moved.add(new Move(pack, frame.offset(), id, target.add(repository.codec().encode(id, chunk, 0))));
            if (target.isFull()) {
                flush();
            }
        }
        return moved;
    }

    /** Whether a run that was ended half-way has moved it already. */
    private boolean isElsewhere(ChunkAddress frame, byte[] chunk) throws IOException {
        if (moves.of(frame.pack()).stream().noneMatch(move -> move.offset() == frame.offset())) {
            return false;
        }
        try {
            reader.readMoved(frame, chunk);
            return true;
        } catch (IOException e) {
            if (!ChunkReader.isDamage(e)) {
                throw e;
            }
            return false;
        }
    }

    /** Stores the new pack, tells where things lie now, and deletes the packs that are empty by that. */
    private void flush() throws IOException {
        if (!target.isEmpty()) {
            ByteBuffer content = target.finish();
            changes.put(PackObjects.key(target.id()), content);
            won -= content.remaining();
            lengths.put(target.id(), (long) content.remaining());
            target.entries().forEach(entry -> live.add(target.id(), entry.address().offset(), entry.address().lengthCode()));
            target = newPack();
        }
        changes.put(repository.moves(), emptied.values().stream().flatMap(List::stream).toList());
        // Only now: whoever locks a pack looks for moves out of it afterwards, and finds these.
        List<PackId> free = locked.free(emptied.keySet());
        changes.delete(free.stream().map(PackObjects::key).toList());
        emptied.forEach(moves::add);
        for (PackId pack : free) {
            won += lengths.remove(pack);
            deleted++;
        }
        emptied.clear();
    }

    private PackBuilder newPack() {
        return new PackBuilder(PackId.random(random), repository.codec());
    }
}
