package io.afterimage.repository;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What verify has found damaged in a pack: {@code damaged/<pack id>.json} ({@code docs/formats/damaged.md}). Backups do not refer to it anew, and read
 * again from the source what they would have inherited from it.
 *
 * @param pack the pack
 * @param whole whether the pack itself is gone or cannot be understood, so that nothing in it may be referred to any more
 * @param frames those that points need and that are damaged; of a pack that is so as a whole, all that points need
 */
public record Damage(PackId pack, boolean whole, List<DamagedFrame> frames) {

    /** The records of all packs. */
    public static final KeyPrefix ALL = KeyPrefix.folder("damaged");

    private static final Logger LOG = LoggerFactory.getLogger(Damage.class);
    private static final String SUFFIX = ".json";
    private static final int FORMAT = 1;
    private static final int LARGEST = 16 * 1024 * 1024;
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private record Content(int format, String pack, boolean whole, List<Frame> frames) {}

    private record Frame(int offset, int length, String chunk, boolean readable) {}

    public Damage {
        frames = List.copyOf(frames);
    }

    /** Where it lies. */
    public static ObjectKey key(PackId pack) {
        return ObjectKey.of("damaged", pack + SUFFIX);
    }

    /** The pack that the object at {@code key} tells of; empty if that is no place of such an object. */
    public static Optional<PackId> pack(ObjectKey key) {
        String name = key.name();
        try {
            PackId pack = PackId.parse(name.substring(0, Math.max(0, name.length() - SUFFIX.length())));
            return key(pack).equals(key) ? Optional.of(pack) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    /** All that is there. Of one that is itself damaged, only the pack is known, and that it is not to be trusted. */
    public static List<Damage> list(Repository repository) throws IOException {
        List<Damage> found = new ArrayList<>();
        Listing objects = repository.store().list(ALL);
        while (objects.hasNext()) {
            ObjectKey key = objects.next().key();
            Optional<PackId> pack = pack(key);
            if (pack.isPresent()) {
                read(repository, key, pack.get()).ifPresent(found::add);
            }
        }
        return found;
    }

    private static Optional<Damage> read(Repository repository, ObjectKey key, PackId pack) throws IOException {
        try {
            return Optional.of(parse(pack, repository.getSealed(key, LARGEST)));
        } catch (ObjectNotFoundException e) {
            return Optional.empty();
        } catch (IllegalArgumentException | BrokenSealException e) {
            LOG.warn("The object {} does not say which frames are damaged: {}", key, e.getMessage());
        } catch (StoreException e) {
            if (e.problem() != Problem.TOO_LARGE && e.problem() != Problem.TOO_SHORT) {
                throw e;
            }
            LOG.warn("The object {} does not say which frames are damaged: {}", key, e.getMessage());
        }
        return Optional.of(new Damage(pack, true, List.of()));
    }

    private static Damage parse(PackId pack, byte[] json) {
        try {
            Content content = JSON.readValue(json, Content.class);
            if (content.format > FORMAT || !pack.toString().equals(content.pack)) {
                throw new IllegalArgumentException("it is of format " + content.format + " and tells of pack " + content.pack);
            }
            return new Damage(pack, content.whole, content.frames.stream().map(frame -> parse(pack, frame)).toList());
        } catch (JacksonException | NullPointerException | BufferUnderflowException e) {
            throw new IllegalArgumentException("it is damaged", e);
        }
    }

    private static DamagedFrame parse(PackId pack, Frame frame) {
        Optional<ChunkId> chunk = Optional.ofNullable(frame.chunk).map(hex -> ChunkId.get(ByteBuffer.wrap(HexFormat.of().parseHex(hex))));
        return new DamagedFrame(new ChunkAddress(pack, frame.offset, frame.length), chunk, frame.readable);
    }

    /** Stores it in place of what was known of the pack. */
    public void put(Repository repository) throws IOException {
        List<Frame> rows = frames.stream()
                .map(frame -> new Frame(
                        frame.address().offset(),
                        frame.address().lengthCode(),
                        frame.chunk().map(ChunkId::toString).orElse(null),
                        frame.readable()))
                .toList();
        repository.putSealed(key(pack), JSON.writeValueAsBytes(new Content(FORMAT, pack.toString(), whole, rows)));
    }

    /** The pack is as it should be again, or nobody needs what was damaged in it. */
    public static void remove(Repository repository, PackId pack) throws IOException {
        repository.store().delete(key(pack));
    }
}
