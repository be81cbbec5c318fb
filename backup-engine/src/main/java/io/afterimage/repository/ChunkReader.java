package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.CorruptChunkException;
import io.afterimage.chunk.PackId;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Set;

/**
 * Reads chunks of a repository, each verified: from where a manifest says or, when it is not found there whole, from where
 * {@linkplain Moves moves} say. Thread-safe.
 */
public final class ChunkReader {

    /** Places that are tried for one chunk, so that nobody's moves lead a reader round for ever. */
    private static final int MOST_PLACES = 64;

    private final Repository repository;
    private final Moves moves;
    private final ChunkSize chunkSize;

    public ChunkReader(Repository repository) {
        this.repository = repository;
        moves = repository.moves();
        chunkSize = repository.chunkSize();
    }

    /** Whether a failure says that what was asked for is not there or not whole; any other says nothing about that. */
    public static boolean isDamage(Exception failure) {
        return switch (failure) {
            case CorruptChunkException _, ObjectNotFoundException _ -> true;
            case StoreException e -> e.problem() == Problem.TOO_SHORT || e.problem() == Problem.TOO_LARGE;
            default -> false;
        };
    }

    /** Where to look first. Never asks the store. */
    public FrameLocation locate(ChunkAddress address) {
        return moves.locate(address);
    }

    /** The bytes from the run's first frame to its last, in one request. */
    public byte[] fetch(FrameRun run) throws IOException {
        return fetch(run.first(), run.length(chunkSize));
    }

    /** The same into the first bytes of {@code target}, which is as long at least; of no meaning after an exception. */
    public void fetch(FrameRun run, byte[] target) throws IOException {
        fetch(run.first(), ByteBuffer.wrap(target, 0, run.length(chunkSize)));
    }

    private byte[] fetch(ChunkAddress first, int length) throws IOException {
        byte[] frames = new byte[length];
        fetch(first, ByteBuffer.wrap(frames));
        return frames;
    }

    private void fetch(ChunkAddress first, ByteBuffer frames) throws IOException {
        try {
            repository.fetch(first, frames);
        } catch (ObjectNotFoundException e) {
            moves.markGone(first.pack());
            throw e;
        }
    }

    /**
     * Verifies a frame and takes the chunk out of it.
     *
     * @param frames fetched bytes, the frame beginning at {@code offset}
     * @param chunk receives the chunk from index 0 on; of no meaning after an exception
     */
    public ChunkId decode(byte[] frames, int offset, FrameLocation frame, byte[] chunk) throws IOException {
        ChunkId found = repository.decode(frames, offset, frame.place(), chunk);
        if (frame.chunk().isPresent() && !frame.chunk().get().equals(found)) {
            throw new CorruptChunkException(frame.address(), "at " + frame.place() + ", where it is said to have been moved, lies another chunk");
        }
        return found;
    }

    /**
     * Where to look for chunks that were not found whole at home; those of which no move tells are left out. Asks the store once for each pack, unless
     * what is known already tells of all of them.
     */
    public List<FrameLocation> moved(Collection<ChunkAddress> addresses) throws IOException {
        List<FrameLocation> moved = new ArrayList<>();
        Set<PackId> asked = new HashSet<>();
        for (ChunkAddress address : addresses) {
            Optional<FrameLocation> known = moves.known(address);
            if (known.isEmpty() && asked.add(address.pack())) {
                moves.fresh(address.pack());
                known = moves.known(address);
            }
            known.ifPresent(moved::add);
        }
        return moved;
    }

    /**
     * One chunk, wherever it lies: at home, or at the end of any chain of moves.
     *
     * @param chunk receives it from index 0 on; of no meaning after an exception
     * @throws IOException why it could not be read at home, if it is nowhere else either; {@link #isDamage} tells whether it is lost
     */
    public ChunkId read(ChunkAddress address, byte[] chunk) throws IOException {
        FrameLocation home = FrameLocation.home(address);
        try {
            return readAt(home, chunk);
        } catch (IOException e) {
            if (!isDamage(e)) {
                throw e;
            }
            return chase(home, chunk, e);
        }
    }

    /** The same without looking at home: an error that {@linkplain #isDamage says so} if no move leads to it. */
    public ChunkId readMoved(ChunkAddress address, byte[] chunk) throws IOException {
        return chase(FrameLocation.home(address), chunk, new CorruptChunkException(address, "nothing tells where else it lies"));
    }

    private ChunkId readAt(FrameLocation frame, byte[] chunk) throws IOException {
        return decode(fetch(frame.place(), frame.place().byteLength(chunkSize)), 0, frame, chunk);
    }

    private ChunkId chase(FrameLocation home, byte[] chunk, IOException failure) throws IOException {
        Set<FrameLocation> seen = new HashSet<>();
        Queue<FrameLocation> open = new ArrayDeque<>(onwards(home));
        while (!open.isEmpty() && seen.size() < MOST_PLACES) {
            FrameLocation next = open.remove();
            if (seen.add(next)) {
                try {
                    return readAt(next, chunk);
                } catch (IOException e) {
                    if (!isDamage(e)) {
                        throw e;
                    }
                    open.addAll(onwards(next));
                }
            }
        }
        throw failure;
    }

    /** Where the frame at that place has been moved to; a chunk stays the same along the chain. */
    private List<FrameLocation> onwards(FrameLocation from) throws IOException {
        return moves.fresh(from.place().pack()).stream()
                .filter(move -> move.offset() == from.place().offset())
                .filter(move -> from.isHome() || from.chunk().get().equals(move.chunk()))
                .map(move -> Moves.location(from.address(), move))
                .toList();
    }
}
