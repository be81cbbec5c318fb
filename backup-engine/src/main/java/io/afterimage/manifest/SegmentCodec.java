package io.afterimage.manifest;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.manifest.Segment.Run;
import java.io.ByteArrayOutputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The bytes of a segment of a map: columns of variable-length numbers, one entry a run, then one length byte a chunk.
 * {@code docs/formats/manifest.md} has the layout. Columns keep like beside like, which is what makes the stored manifest
 * small even where a disk has been overwritten in many places.
 */
final class SegmentCodec {

    @SuppressWarnings("ArrayRecordComponent") // taken apart once and never compared
    private record Content(Run[] runs, byte[] lengths) {}

    private final int unitsOfZero;

    SegmentCodec(ChunkSize chunkSize) {
        unitsOfZero = ChunkAddress.units(0, chunkSize);
    }

    /** The bytes of the segment whose chunks have these {@linkplain Place places}; none when all are absent. */
    byte[] encode(long[] places) {
        List<Run> runs = new ArrayList<>();
        ByteArrayOutputStream lengths = new ByteArrayOutputStream(Segment.CHUNKS);
        int chunk = 0;
        while (chunk < Segment.CHUNKS) {
            if (places[chunk] == Place.ABSENT) {
                chunk++;
                continue;
            }
            int first = chunk;
            int pack = Place.pack(places[first]);
            int offset = Place.offset(places[first]);
            do {
                int lengthCode = Place.lengthCode(places[chunk]);
                lengths.write(lengthCode);
                offset += units(lengthCode);
                chunk++;
            } while (chunk < Segment.CHUNKS && follows(places[chunk], pack, offset));
            runs.add(new Run(first, chunk - first, pack, Place.offset(places[first])));
        }
        return runs.isEmpty() ? new byte[0] : write(runs, lengths.toByteArray());
    }

    private static boolean follows(long place, int pack, int offset) {
        return place != Place.ABSENT && Place.pack(place) == pack && Place.offset(place) == offset;
    }

    private byte[] write(List<Run> runs, byte[] lengths) {
        VarInts out = new VarInts();
        out.put(runs.size());
        int end = 0;
        for (Run run : runs) {
            out.put(run.first() - end);
            end = run.end();
        }
        runs.forEach(run -> out.put(run.count()));
        runs.forEach(run -> out.put(run.pack()));
        Map<Integer, Integer> expected = new HashMap<>();
        int length = 0;
        for (Run run : runs) {
            out.putSigned(run.offset() - expected.getOrDefault(run.pack(), 0));
            int offset = run.offset();
            for (int i = 0; i < run.count(); i++) {
                offset += units(Byte.toUnsignedInt(lengths[length++]));
            }
            expected.put(run.pack(), offset);
        }
        out.put(lengths);
        return out.toByteArray();
    }

    /**
     * @param chunks the number of chunks that the disk has in this segment; no run reaches beyond
     * @throws CorruptManifestException unless every number is one that {@link #encode} could have written
     */
    Segment decode(byte[] bytes, int chunks) throws CorruptManifestException {
        Content content = content(bytes, chunks);
        return new Segment(content.runs, content.lengths, unitsOfZero);
    }

    /** The numbers of the packs that a segment names, one for each run; otherwise as {@link #decode}, which costs more. */
    int[] packs(byte[] bytes, int chunks) throws CorruptManifestException {
        Run[] runs = content(bytes, chunks).runs;
        int[] packs = new int[runs.length];
        for (int i = 0; i < runs.length; i++) {
            packs[i] = runs[i].pack();
        }
        return packs;
    }

    private Content content(byte[] bytes, int chunks) throws CorruptManifestException {
        if (bytes.length == 0) {
            return new Content(new Run[0], bytes);
        }
        try {
            ByteBuffer in = ByteBuffer.wrap(bytes);
            int count = VarInts.get(in);
            require(count > 0 && count <= chunks, "a segment of " + count + " runs");
            int[] firsts = column(in, count);
            int[] counts = column(in, count);
            int[] packs = column(in, count);
            int[] offsets = new int[count];
            for (int i = 0; i < count; i++) {
                offsets[i] = VarInts.getSigned(in);
            }
            byte[] lengths = new byte[in.remaining()];
            in.get(lengths);
            return new Content(runs(firsts, counts, packs, offsets, lengths, chunks), lengths);
        } catch (BufferUnderflowException e) {
            throw new CorruptManifestException("a segment is cut off", e);
        }
    }

    private Run[] runs(int[] gaps, int[] counts, int[] packs, int[] deltas, byte[] lengths, int chunks)
            throws CorruptManifestException {
        Run[] runs = new Run[gaps.length];
        Map<Integer, Integer> expected = new HashMap<>();
        int end = 0;
        int length = 0;
        for (int i = 0; i < runs.length; i++) {
            int first = end + gaps[i];
            require(gaps[i] <= chunks && counts[i] >= 1 && counts[i] <= chunks && first + counts[i] <= chunks, "a run beyond its disk");
            end = first + counts[i];
            long offset = (long) expected.getOrDefault(packs[i], 0) + deltas[i];
            require(length + counts[i] <= lengths.length, "a segment with too few lengths");
            long offsetEnd = offset;
            for (int j = 0; j < counts[i]; j++) {
                offsetEnd += units(Byte.toUnsignedInt(lengths[length++]));
            }
            require(offset >= 1 && offsetEnd < ChunkAddress.OFFSETS, "a run outside of any pack");
            runs[i] = new Run(first, counts[i], packs[i], (int) offset);
            expected.put(packs[i], (int) offsetEnd);
        }
        require(length == lengths.length, "a segment with too many lengths");
        return runs;
    }

    private static int[] column(ByteBuffer in, int count) throws CorruptManifestException {
        int[] column = new int[count];
        for (int i = 0; i < count; i++) {
            column[i] = VarInts.get(in);
        }
        return column;
    }

    private int units(int lengthCode) {
        return lengthCode != 0 ? lengthCode : unitsOfZero;
    }

    private static void require(boolean condition, String finding) throws CorruptManifestException {
        if (!condition) {
            throw new CorruptManifestException("it has " + finding);
        }
    }
}
