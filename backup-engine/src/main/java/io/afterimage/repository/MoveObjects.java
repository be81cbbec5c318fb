package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Moves as objects of a store: {@code moves/<pack id>/<uuid>.json} ({@code docs/formats/moves.md}). */
public final class MoveObjects {

    /** All of them. */
    public static final KeyPrefix ALL = KeyPrefix.folder("moves");

    /** What one object names at most: all frames of the fullest pack. */
    static final int MOST_MOVES = 64 * 1024;

    static final int LARGEST = 16 * 1024 * 1024;

    private static final int FORMAT = 1;
    private static final String SUFFIX = ".json";
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    /** @param packs what {@link Frame#pack} counts in */
    private record Content(int format, String pack, List<String> packs, List<Frame> frames) {}

    /** A frame of the old pack, and where it lies now: the number of the new pack, offset and length code there. */
    private record Frame(int offset, String chunk, int pack, int at, int length) {}

    private MoveObjects() {}

    /** Those that tell where frames of one pack lie now. */
    public static KeyPrefix of(PackId pack) {
        return KeyPrefix.folder("moves", pack.toString());
    }

    /** A key that nobody else uses. */
    static ObjectKey newKey(PackId pack) {
        return ObjectKey.of("moves", pack.toString(), UUID.randomUUID() + SUFFIX);
    }

    /** The pack whose frames the object at {@code key} tells of; empty if that is no place of such an object. */
    public static Optional<PackId> pack(ObjectKey key) {
        String[] segments = key.value().split("/", -1);
        try {
            return segments.length == 3 && ALL.includes(key) && segments[2].endsWith(SUFFIX)
                    ? Optional.of(PackId.parse(segments[1]))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** @param moves all from {@code pack}, at most {@value #MOST_MOVES} */
    static byte[] encode(PackId pack, List<Move> moves) {
        Map<PackId, Integer> numbers = new LinkedHashMap<>();
        List<Frame> frames = new ArrayList<>(moves.size());
        for (Move move : moves) {
            int number = numbers.computeIfAbsent(move.to().pack(), _ -> numbers.size());
            frames.add(new Frame(move.offset(), move.chunk().toString(), number, move.to().offset(), move.to().lengthCode()));
        }
        List<String> packs = numbers.keySet().stream().map(PackId::toString).toList();
        return JSON.writeValueAsBytes(new Content(FORMAT, pack.toString(), packs, frames));
    }

    /**
     * The moves in an object that anybody may have written; an {@link IllegalArgumentException} with one clause if it is none, or tells of
     * another pack.
     */
    static List<Move> decode(PackId pack, byte[] json) {
        try {
            Content content = JSON.readValue(json, Content.class);
            if (content.format > FORMAT) {
                throw new IllegalArgumentException("its format is " + content.format + ": use a newer Afterimage");
            }
            if (!pack.toString().equals(content.pack)) {
                throw new IllegalArgumentException("it tells of pack " + content.pack);
            }
            List<PackId> packs = content.packs.stream().map(PackId::parse).toList();
            List<Move> moves = new ArrayList<>(content.frames.size());
            for (Frame frame : content.frames) {
                ChunkId chunk = ChunkId.get(ByteBuffer.wrap(HexFormat.of().parseHex(frame.chunk)));
                moves.add(new Move(pack, frame.offset, chunk, new ChunkAddress(packs.get(frame.pack), frame.at, frame.length)));
            }
            return moves;
        } catch (JacksonException | NullPointerException | IndexOutOfBoundsException | BufferUnderflowException e) {
            throw new IllegalArgumentException("it is damaged", e);
        }
    }
}
