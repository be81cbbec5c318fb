package io.afterimage.repository;

import io.afterimage.chunk.PackId;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * What gc is going to delete, told to everybody beforehand: {@code condemned/<uuid>.json} ({@code docs/formats/condemned.md}). A backup that begins
 * when this lies there refers to none of the packs anew; those that began before are named by their leases once this is {@linkplain #armed armed}.
 *
 * @param key where it lies
 * @param time when it was armed; until then, when it was written
 * @param packs that no point needed
 * @param compact packs of which points need so little that it is to be moved into others
 * @param manifests that belonged to no point
 * @param leases of the backups that ran when all others could see this; empty as long as it is not armed
 */
public record Condemnation(
        ObjectKey key,
        Instant time,
        Set<PackId> packs,
        Set<PackId> compact,
        Set<ObjectKey> manifests,
        Optional<Set<ObjectKey>> leases) {

    /** What one object names at most, so that it stays small enough to be read in one piece. */
    public static final int MOST_ENTRIES = 10_000;

    private static final String FOLDER = "condemned";
    private static final KeyPrefix ALL = KeyPrefix.folder(FOLDER);
    private static final int FORMAT = 1;
    private static final int LARGEST = 16 * 1024 * 1024;
    private static final JsonMapper JSON = JsonMapper.builder()
            .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .build();

    private record Content(
            int format,
            Instant time,
            List<String> packs,
            List<String> compact,
            List<String> manifests,
            boolean armed,
            List<String> leases) {}

    public Condemnation {
        packs = Set.copyOf(packs);
        compact = Set.copyOf(compact);
        manifests = Set.copyOf(manifests);
        leases = leases.map(Set::copyOf);
    }

    /** One that nobody has seen yet. */
    public static Condemnation of(Instant time, Set<PackId> packs, Set<PackId> compact, Set<ObjectKey> manifests) {
        ObjectKey key = ObjectKey.of(FOLDER, UUID.randomUUID() + ".json");
        return new Condemnation(key, time, packs, compact, manifests, Optional.empty());
    }

    /** The same, with the leases of all backups that may have begun before it was seen. */
    public Condemnation armed(Instant now, Set<ObjectKey> running) {
        return new Condemnation(key, now, packs, compact, manifests, Optional.of(running));
    }

    /** All packs named, for whatever reason. */
    public Stream<PackId> allPacks() {
        return Stream.concat(packs.stream(), compact.stream());
    }

    public void put(ObjectStore store) throws IOException {
        Content content = new Content(
                FORMAT, time, texts(packs), texts(compact), texts(manifests), leases.isPresent(), texts(leases.orElse(Set.of())));
        store.put(key, ByteBuffer.wrap(JSON.writeValueAsBytes(content)));
    }

    private static List<String> texts(Set<?> values) {
        return values.stream().map(Object::toString).sorted().toList();
    }

    /**
     * All that are there. One that vanishes meanwhile is left out.
     *
     * @throws RepositoryException if one is damaged: whoever cannot tell what is condemned must not go on
     */
    public static List<Condemnation> list(ObjectStore store) throws IOException {
        List<Condemnation> found = new ArrayList<>();
        Listing listing = store.list(ALL);
        while (listing.hasNext()) {
            ObjectKey key = listing.next().key();
            try {
                found.add(parse(key, store.getWhole(key, LARGEST)));
            } catch (ObjectNotFoundException e) {
                // Carried out between the listing and now.
            }
        }
        return found;
    }

    /** The packs that are condemned now: no backup that begins refers to them. */
    static Set<PackId> packs(ObjectStore store) throws IOException {
        return list(store).stream().flatMap(Condemnation::allPacks).collect(Collectors.toSet());
    }

    private static Condemnation parse(ObjectKey key, byte[] json) throws RepositoryException {
        try {
            Content content = JSON.readValue(json, Content.class);
            if (content.format > FORMAT) {
                throw new RepositoryException(
                        Reason.UNSUPPORTED_FORMAT,
                        "The object " + key + " is of format " + content.format + " and this program reads up to " + FORMAT
                                + ": use a newer Afterimage.");
            }
            Set<PackId> packs = content.packs.stream().map(PackId::parse).collect(Collectors.toSet());
            Set<PackId> compact = content.compact.stream().map(PackId::parse).collect(Collectors.toSet());
            Set<ObjectKey> manifests = content.manifests.stream().map(Condemnation::manifest).collect(Collectors.toSet());
            Set<ObjectKey> leases = content.leases.stream().map(ObjectKey::new).collect(Collectors.toSet());
            Instant time = Instant.EPOCH.isAfter(content.time) ? Instant.EPOCH : content.time;
            return new Condemnation(key, time, packs, compact, manifests, content.armed ? Optional.of(leases) : Optional.empty());
        } catch (JacksonException | IllegalArgumentException | NullPointerException e) {
            throw new RepositoryException(
                    Reason.DAMAGED,
                    "The object " + key + " is damaged, so nobody knows what is about to be deleted: remove it while no backup and no gc runs.",
                    e);
        }
    }

    /** Nothing but a manifest can be condemned by its key, whoever wrote it. */
    private static ObjectKey manifest(String text) {
        ObjectKey key = new ObjectKey(text);
        if (ManifestObjects.name(key).isEmpty()) {
            throw new IllegalArgumentException("not a manifest: " + key);
        }
        return key;
    }
}
