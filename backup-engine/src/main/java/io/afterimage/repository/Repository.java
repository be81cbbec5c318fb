package io.afterimage.repository;

import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestFile;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;

/** A repository, opened for reading: its points, their manifests, their chunks. Closes the store it was given. Thread-safe. */
public final class Repository implements Closeable {

    /** The zstd level that gives backups their speed; what is read does not depend on it. */
    private static final int LEVEL = 1;

    private static final int REQUESTS_AT_ONCE = 16;

    private final ObjectStore store;
    private final RepositoryHeader header;
    private final FrameCodec codec;
    private final Catalog catalog;
    private volatile int requestsAtOnce = REQUESTS_AT_ONCE;

    private Repository(ObjectStore store, RepositoryHeader header) {
        this.store = store;
        this.header = header;
        codec = new FrameCodec(new ChunkSize(header.chunkSize()), LEVEL);
        catalog = new Catalog(store);
    }

    /**
     * Makes a repository in a store that holds nothing.
     *
     * @throws RepositoryException if there is something in the store
     */
    public static Repository create(ObjectStore store, ChunkSize chunkSize, SecureRandom random) throws IOException {
        if (store.list(KeyPrefix.ALL).hasNext()) {
            throw new RepositoryException(
                    Reason.NOT_EMPTY, "There is something in " + store + " already: choose an empty place for a new repository.");
        }
        byte[] id = new byte[16];
        random.nextBytes(id);
        RepositoryHeader header = RepositoryHeader.create(HexFormat.of().formatHex(id), chunkSize);
        store.put(RepositoryHeader.KEY, header.toJson());
        return new Repository(store, header);
    }

    /** Opens the repository in a store. */
    public static Repository open(ObjectStore store) throws IOException {
        try {
            byte[] json = store.getWhole(RepositoryHeader.KEY, RepositoryHeader.LARGEST);
            return new Repository(store, RepositoryHeader.parse(json, store.toString()));
        } catch (ObjectNotFoundException e) {
            throw new RepositoryException(
                    Reason.NOT_A_REPOSITORY,
                    "There is no repository in " + store + ": check the place, or make one with 'afterimage init'.",
                    e);
        }
    }

    /** 32 lower-case hex digits, different for every repository. */
    public String id() {
        return header.id();
    }

    public ChunkSize chunkSize() {
        return codec.chunkSize();
    }

    public Catalog catalog() {
        return catalog;
    }

    /** The object store beneath, for those who add to the repository or put it in order. */
    public ObjectStore store() {
        return store;
    }

    /** How many small objects are fetched at the same time where many are: one costs little more than the way there and back. */
    public int requestsAtOnce() {
        return requestsAtOnce;
    }

    /** One request at a time happen in an order that can be foretold; stores with much latency and little load like more. */
    public void setRequestsAtOnce(int count) {
        requestsAtOnce = count;
    }

    FrameCodec codec() {
        return codec;
    }

    /**
     * The manifest of a point, proven to be the one that the descriptor was written for.
     *
     * @throws CorruptManifestException if it is not, or is missing
     */
    public Manifest manifest(Point point) throws IOException {
        try {
            return manifest(HeldPoint.of(point));
        } catch (ObjectNotFoundException e) {
            throw new CorruptManifestException("point " + point.id() + " of '" + point.machine() + "' has lost it", e);
        }
    }

    /**
     * What a new point of the lease's machine may build on: the manifest of the first of these points that is there still, whose packs stay until the lease
     * is given back.
     */
    public Optional<Manifest> parent(BackupLease lease, List<PointId> candidates) throws IOException {
        for (PointId candidate : candidates) {
            Optional<Point> point = catalog.find(lease.machine(), candidate);
            if (point.isPresent() && lease.hold(point.get(), catalog)) {
                return Optional.of(manifest(point.get()));
            }
        }
        return Optional.empty();
    }

    /**
     * The same for a point that may have been forgotten.
     *
     * @throws ObjectNotFoundException if the manifest is gone
     */
    public Manifest manifest(HeldPoint point) throws IOException {
        int length = Math.toIntExact(point.manifest().length());
        byte[] object = store.getWhole(ManifestObjects.key(point.machine(), point.point()), length);
        if (!sha256(object).equals(point.manifest().sha256())) {
            throw new CorruptManifestException(
                    "that of point " + point.point() + " of '" + point.machine() + "' does not match its hash");
        }
        return ManifestFile.read(ManifestObjects.decompress(object), chunkSize());
    }

    /**
     * A manifest that no descriptor vouches for, such as that of a point about to be committed: good to tell what may be needed, not what was on a disk.
     *
     * @throws ObjectNotFoundException if there is none
     */
    public Manifest unlistedManifest(MachineName machine, PointId point) throws IOException {
        byte[] object = store.getWhole(ManifestObjects.key(machine, point), ManifestObjects.LARGEST);
        return ManifestFile.read(ManifestObjects.decompress(object), chunkSize());
    }

    /**
     * Fetches bytes of a pack as they are, in one request, for {@link #decode}.
     *
     * @param first the frame where the bytes begin
     * @param target filled up to its limit
     */
    public void fetch(ChunkAddress first, ByteBuffer target) throws IOException {
        store.get(PackObjects.key(first.pack()), first.byteOffset(chunkSize()), target);
    }

    /**
     * Verifies a frame and takes the chunk out of it.
     *
     * @param frame fetched bytes, the frame beginning at {@code offset}
     * @param chunk receives the chunk from index 0 on
     */
    public void decode(byte[] frame, int offset, ChunkAddress address, byte[] chunk) throws IOException {
        codec.decode(frame, offset, address, chunk);
    }

    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    @Override
    public void close() throws IOException {
        store.close();
    }
}
