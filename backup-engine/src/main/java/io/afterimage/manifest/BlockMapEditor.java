package io.afterimage.manifest;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;

/**
 * Makes the next map of a disk from its last one. Cheap when chunks are put in the order of the disk. It keeps which chunks
 * came to lie elsewhere, or became zeros: what changed since the base. For one thread; of no use after {@link #finish}.
 */
public final class BlockMapEditor {

    private final long diskSize;
    private final ChunkSize chunkSize;
    private final PackTable.Editor packs;
    private final SegmentCodec codec;
    private final BlockMap base;
    private final byte[][] encoded;
    private final BitSet changed = new BitSet();

    /** The segment that is being changed, decoded, and its number; none yet when negative. */
    private final long[] places = new long[Segment.CHUNKS];

    private int open = -1;
    private boolean dirty;

    /**
     * @param base the map to start from, which may be of another disk size: chunks beyond the new end are dropped
     * @param packs the pack numbers of the manifest that is being made; has those of the base
     */
    BlockMapEditor(BlockMap base, long diskSize, PackTable.Editor packs) {
        this.base = base;
        this.diskSize = diskSize;
        this.packs = packs;
        chunkSize = base.chunkSize();
        codec = new SegmentCodec(chunkSize);
        encoded = new byte[BlockMap.segments(diskSize, chunkSize)][];
        Arrays.setAll(encoded, base::encodedSegment);
        dropBeyondEnd();
    }

    /** The chunk's frame lies at {@code address} from now on. */
    public void put(long chunk, ChunkAddress address) {
        set(chunk, Place.of(packs.number(address.pack()), address.offset(), address.lengthCode()));
    }

    /** The chunks {@code [first, end)} are all zeros from now on. Quick where they are already. */
    public void putZeros(long first, long end) {
        long chunk = first;
        while (chunk < end) {
            int number = (int) (chunk / Segment.CHUNKS);
            if (number != open && encoded[number].length == 0) {
                chunk = (number + 1L) * Segment.CHUNKS;
            } else {
                set(chunk++, Place.ABSENT);
            }
        }
    }

    /** Where the chunk lies as of now, or null when it is all zeros. */
    public ChunkAddress address(long chunk) {
        long place = place(chunk);
        return place == Place.ABSENT
                ? null
                : new ChunkAddress(packs.id(Place.pack(place)), Place.offset(place), Place.lengthCode(place));
    }

    private long place(long chunk) {
        Objects.checkIndex(chunk, chunkSize.count(diskSize));
        open((int) (chunk / Segment.CHUNKS));
        return places[(int) (chunk % Segment.CHUNKS)];
    }

    private void set(long chunk, long place) {
        long before = place(chunk);
        if (before != place) {
            count(before, -1);
            count(place, 1);
            places[(int) (chunk % Segment.CHUNKS)] = place;
            dirty = true;
            changed.set(Math.toIntExact(chunk));
        }
    }

    private void count(long place, int change) {
        if (place != Place.ABSENT) {
            packs.count(Place.pack(place), change);
        }
    }

    private void open(int number) {
        if (open != number) {
            close();
            load(encoded[number]);
            open = number;
        }
    }

    private void load(byte[] bytes) {
        try {
            Segment segment = codec.decode(bytes, Segment.CHUNKS);
            Arrays.setAll(places, segment::place);
        } catch (CorruptManifestException e) {
            throw new IllegalStateException("a segment was taken into a map unchecked", e);
        }
    }

    private void close() {
        if (dirty) {
            encoded[open] = codec.encode(places);
            dirty = false;
        }
    }

    private void dropBeyondEnd() {
        for (long chunk = base.next(Math.min(base.chunks(), chunkSize.count(diskSize)), true);
                chunk < base.chunks();
                chunk = base.next(chunk + 1, true)) {
            packs.count(packs.number(base.address(chunk).pack()), -1);
        }
        int last = encoded.length - 1;
        int chunks = Math.toIntExact(chunkSize.count(diskSize) - (long) last * Segment.CHUNKS);
        if (last >= 0 && chunks < Segment.CHUNKS && encoded[last].length > 0) {
            load(encoded[last]);
            Arrays.fill(places, chunks, Segment.CHUNKS, Place.ABSENT);
            encoded[last] = codec.encode(places);
        }
    }

    /** The map, once {@code table} has all the packs that it names. */
    BlockMap finish(PackTable table) {
        close();
        return new BlockMap(diskSize, chunkSize, table, encoded);
    }

    /** The chunks that are not where they were in the base. */
    BitSet changed() {
        return changed;
    }
}
