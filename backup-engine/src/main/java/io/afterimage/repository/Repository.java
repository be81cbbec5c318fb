package io.afterimage.repository;

import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDescriptor;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.chunk.PackSeal;
import io.afterimage.keys.BrokenSealException;
import io.afterimage.keys.KeySlot;
import io.afterimage.keys.MasterKey;
import io.afterimage.keys.ObjectSeal;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestFile;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.CorruptPackException;
import io.afterimage.pack.PackEntry;
import io.afterimage.pack.PackIndex;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.RepositoryException.Reason;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.ObjectNotFoundException;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A repository, opened for reading: its points, their manifests, their chunks. Closes the store it was given. Thread-safe. */
public final class Repository implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(Repository.class);

    /** The zstd level that gives backups their speed; what is read does not depend on it. */
    public static final int DEFAULT_LEVEL = 1;

    private static final int REQUESTS_AT_ONCE = 16;

    /** Calls after which the JVM has compiled with all its art what is called, with room to spare, also as late as our launcher has it; and the bytes of each, four blocks. */
    private static final int CALLED_OFTEN = 20_000;

    private static final int HASHED_AT_ONCE = 256;

    private final ObjectStore store;
    private final RepositoryHeader header;
    private final Optional<RepositoryHeader.Opened> opened;
    private volatile FrameCodec codec;
    private final ObjectSeal seal;
    private final Catalog catalog;
    private final Moves moves = new Moves(this);
    private volatile int requestsAtOnce = REQUESTS_AT_ONCE;

    private Repository(ObjectStore store, RepositoryHeader header, Optional<RepositoryHeader.Opened> opened) {
        this.store = store;
        this.header = header;
        this.opened = opened;
        Optional<MasterKey> master = opened.map(RepositoryHeader.Opened::master);
        codec = new FrameCodec(
                new ChunkSize(header.chunkSize()), master.map(PackSeal::of).orElseGet(PackSeal::clear), DEFAULT_LEVEL);
        seal = master.map(ObjectSeal::of).orElseGet(ObjectSeal::clear);
        catalog = new Catalog(store, seal);
    }

    /**
     * Makes a repository without encryption in a store that holds nothing.
     *
     * @throws RepositoryException if there is something in the store
     */
    public static Repository create(ObjectStore store, ChunkSize chunkSize, SecureRandom random) throws IOException {
        checkEmpty(store);
        RepositoryHeader header = RepositoryHeader.clear(newId(random), chunkSize);
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(header.toJson()));
        return new Repository(store, header, Optional.empty());
    }

    /**
     * Makes an encrypted repository in a store that holds nothing.
     *
     * @param secret opens its first key slot
     * @throws RepositoryException if there is something in the store
     */
    public static Repository createEncrypted(ObjectStore store, ChunkSize chunkSize, Secret secret, SecureRandom random)
            throws IOException {
        checkEmpty(store);
        RepositoryHeader bare = RepositoryHeader.encrypted(newId(random), chunkSize);
        MasterKey master = MasterKey.random(random, bare.id());
        KeySlot slot = KeySlot.wrap(master, secret, bare.canonicalText(), random);
        RepositoryHeader header = bare.withKeySlots(List.of(slot));
        store.put(RepositoryHeader.KEY, ByteBuffer.wrap(header.toJson()));
        return new Repository(store, header, Optional.of(new RepositoryHeader.Opened(slot, master)));
    }

    private static void checkEmpty(ObjectStore store) throws IOException {
        if (store.list(KeyPrefix.ALL).hasNext()) {
            throw new RepositoryException(
                    Reason.NOT_EMPTY, "There is something in " + store + " already: choose an empty place for a new repository.");
        }
    }

    private static String newId(SecureRandom random) {
        byte[] id = new byte[16];
        random.nextBytes(id);
        return HexFormat.of().formatHex(id);
    }

    /** Opens the repository in a store, which must not be encrypted. */
    public static Repository open(ObjectStore store) throws IOException {
        return open(store, KeySource.NONE);
    }

    /**
     * Opens the repository in a store. One request.
     *
     * @param keys gives the secret of an encrypted one
     * @throws RepositoryException if there is none, or the key does not fit: none for an encrypted one, a wrong one, or any for one that is
     *     not encrypted, which somebody may have put in the place of one that was
     */
    public static Repository open(ObjectStore store, KeySource keys) throws IOException {
        try {
            byte[] json = store.getWhole(RepositoryHeader.KEY, RepositoryHeader.LARGEST);
            RepositoryHeader header = RepositoryHeader.parse(json, store.toString());
            return new Repository(store, header, header.hasKeys() ? Optional.of(unlock(store, header, keys)) : noKey(store, keys));
        } catch (ObjectNotFoundException e) {
            throw new RepositoryException(
                    Reason.NOT_A_REPOSITORY,
                    "There is no repository in " + store + ": check the place, or make one with 'afterimage init'.",
                    e);
        }
    }

    private static RepositoryHeader.Opened unlock(ObjectStore store, RepositoryHeader header, KeySource keys) throws IOException {
        Optional<Secret> given = keys.given();
        Secret secret = (given.isPresent() ? given : keys.ask())
                .orElseThrow(() -> new RepositoryException(
                        Reason.KEY_NEEDED,
                        "The repository in " + store + " is encrypted: name its key with --key-file or --passphrase-file."));
        return header.open(secret)
                .orElseThrow(() -> new RepositoryException(
                        Reason.WRONG_KEY,
                        "The " + secret + " does not open the repository in " + store
                                + ": it is another repository's, its key slot was removed, or the file repository.json was altered."));
    }

    private static Optional<RepositoryHeader.Opened> noKey(ObjectStore store, KeySource keys) throws IOException {
        if (keys.given().isPresent()) {
            throw new RepositoryException(
                    Reason.NOT_ENCRYPTED,
                    "The repository in " + store + " is not encrypted, and a key was given: name no key if that is as it should be;"
                            + " if it was encrypted once, somebody has replaced it.");
        }
        return Optional.empty();
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

    /** Where frames lie that were moved. */
    public Moves moves() {
        return moves;
    }

    /** Whether what a frame's header says may be used though the frame does not verify: never where somebody may gain from it. */
    public boolean trustsUnverifiedHeaders() {
        return opened.isEmpty();
    }

    /** The key slots; none of a repository that is not encrypted. */
    public Optional<KeySlots> keySlots() {
        return opened.map(slot -> new KeySlots(store, header, slot));
    }

    /** The repository's seal for small objects, for those who store or read objects of their own: see {@link #putSealed}. */
    public ObjectSeal seal() {
        return seal;
    }

    /** Stores a small object that is to be proven, and hidden, where the repository is encrypted. */
    public void putSealed(ObjectKey key, byte[] content) throws IOException {
        store.put(key, ByteBuffer.wrap(seal.seal(key, content)));
    }

    /**
     * What {@link #putSealed} stored.
     *
     * @param maxBytes more of them are not taken in
     * @throws io.afterimage.keys.BrokenSealException if it is anything else
     */
    public byte[] getSealed(ObjectKey key, int maxBytes) throws IOException {
        return seal.open(key, store.getWhole(key, Math.addExact(maxBytes, ObjectSeal.OVERHEAD)));
    }

    /** How many small objects are fetched at the same time where many are: one costs little more than the way there and back. */
    public int requestsAtOnce() {
        return requestsAtOnce;
    }

    /** One request at a time happen in an order that can be foretold; stores with much latency and little load like more. */
    public void setRequestsAtOnce(int count) {
        requestsAtOnce = count;
    }

    /** Compresses what is added from now on at another {@linkplain FrameCodec#isLevel zstd level}: the higher, the smaller and the slower. */
    public void setCompressionLevel(int level) {
        codec = codec.withLevel(level);
    }

    /** Makes frames as this repository has them, for those who lay them into packs. */
    public FrameCodec codec() {
        return codec;
    }

    /**
     * The manifest of a point, proven to be the one that the descriptor was written for, and checked whole.
     *
     * @throws CorruptManifestException if it is not, or is missing
     */
    public Manifest manifest(Point point) throws IOException {
        return checked(openManifest(point));
    }

    /**
     * The same for a point that may have been forgotten.
     *
     * @throws ObjectNotFoundException if the manifest is gone
     */
    public Manifest manifest(HeldPoint point) throws IOException {
        return checked(openManifest(point));
    }

    private static Manifest checked(Manifest manifest) throws IOException {
        manifest.checkMaps();
        return manifest;
    }

    /**
     * As {@link #manifest(Point)}, for one who reads a disk here and there and soon: what its maps say is {@linkplain io.afterimage.manifest.BlockMap checked} where it is looked at.
     */
    public Manifest openManifest(Point point) throws IOException {
        try {
            return openManifest(HeldPoint.of(point));
        } catch (ObjectNotFoundException e) {
            throw new CorruptManifestException("point " + point.id() + " of '" + point.machine() + "' has lost it", e);
        }
    }

    /**
     * What a new point of the lease's machine may build on: the manifest of the first of these points that is there still and whole, whose packs stay until
     * the lease is given back.
     */
    public Optional<Manifest> parent(BackupLease lease, List<PointId> candidates) throws IOException {
        return parent(lease, lease.machine(), candidates);
    }

    /** The same with points of another machine, as whose image the lease's was launched. */
    public Optional<Manifest> parent(BackupLease lease, MachineName machine, List<PointId> candidates) throws IOException {
        for (PointId candidate : candidates) {
            try {
                Optional<Point> point = catalog.find(machine, candidate);
                if (point.isPresent() && lease.hold(point.get(), catalog)) {
                    return Optional.of(manifest(point.get()));
                }
            } catch (IOException e) {
                if (!isDamage(e)) {
                    throw e;
                }
                // Damage to one point must not keep the machine from having another one.
                LOG.warn("No point can build on {}: {}", candidate, e.getMessage());
            }
        }
        return Optional.empty();
    }

    private static boolean isDamage(IOException failure) {
        return switch (failure) {
            case CorruptManifestException _, BrokenSealException _ -> true;
            case CatalogException e -> e.reason() == CatalogException.Reason.DAMAGED;
            case StoreException e -> e.problem() == Problem.TOO_LARGE;
            default -> false;
        };
    }

    /**
     * The same for a point that may have been forgotten.
     *
     * @throws ObjectNotFoundException if the manifest is gone
     */
    public Manifest openManifest(HeldPoint point) throws IOException {
        ObjectKey key = ManifestObjects.key(point.machine(), point.point());
        if (point.manifest().length() > ManifestObjects.LARGEST) {
            throw new CorruptManifestException("that of point " + point.point() + " of '" + point.machine() + "' is said to be larger than any");
        }
        byte[] object;
        try {
            object = store.getWhole(key, Math.toIntExact(point.manifest().length()));
        } catch (StoreException e) {
            if (e.problem() != Problem.TOO_LARGE) {
                throw e;
            }
            throw new CorruptManifestException("that of point " + point.point() + " of '" + point.machine() + "' is longer than it was", e);
        }
        return openManifest(point, object);
    }

    /**
     * The object of a manifest before a descriptor vouches for it, for {@link #openManifest(HeldPoint, byte[])}.
     *
     * @param maxBytes more of them are not taken in
     */
    public byte[] manifestObject(ManifestObjects.Name name, int maxBytes) throws IOException {
        return store.getWhole(ManifestObjects.key(name.machine(), name.point()), maxBytes);
    }

    /**
     * As {@link #openManifest(HeldPoint)} of an object that was fetched before.
     *
     * @param object anything, and not believed unless it is the point's
     */
    public Manifest openManifest(HeldPoint point, byte[] object) throws IOException {
        if (!sha256(object).equals(point.manifest().sha256())) {
            throw new CorruptManifestException(
                    "that of point " + point.point() + " of '" + point.machine() + "' does not match its hash");
        }
        ObjectKey key = ManifestObjects.key(point.machine(), point.point());
        return ManifestFile.open(ManifestObjects.decompress(seal.open(key, object)), chunkSize());
    }

    /**
     * A manifest that no descriptor vouches for, such as that of a point about to be committed: good to tell what may be needed, not what was on a disk.
     *
     * @throws ObjectNotFoundException if there is none
     */
    public Manifest unlistedManifest(MachineName machine, PointId point) throws IOException {
        ObjectKey key = ManifestObjects.key(machine, point);
        byte[] object = store.getWhole(key, ManifestObjects.LARGEST);
        return ManifestFile.read(ManifestObjects.decompress(seal.open(key, object)), chunkSize());
    }

    /**
     * The chunks of a pack in the order in which they lie, as its own index lists them. Costs one request, seldom two.
     *
     * @param length of the pack in bytes, as a listing tells
     * @throws CorruptPackException if the pack is not whole, or its index not the one that was written
     */
    public List<PackEntry> entries(PackId pack, long length) throws IOException {
        return PackIndex.read(pack, length, codec, (offset, count) -> {
            ByteBuffer target = ByteBuffer.allocate(count);
            store.get(PackObjects.key(pack), offset, target);
            return target.flip();
        });
    }

    /**
     * Fetches bytes of a pack as they are, in one request, for {@link #decode}. {@link ChunkReader} also knows what was moved.
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
     * @return the chunk's id
     */
    public ChunkId decode(byte[] frame, int offset, ChunkAddress address, byte[] chunk) throws IOException {
        return codec.decode(frame, offset, address, chunk);
    }

    /**
     * Does what takes long with the first point that a JVM opens, and never again. For who will open one and has the time now; nothing depends on it.
     */
    public static void prepare() {
        prepareHashing();
        ManifestObjects.prepare();
        PointDescriptor.prepare();
    }

    /** The processor's own instructions are used where the optimising compiler has been, and it comes to what is called often: a manifest, hashed at once as one of the first things, would take ten times as long. */
    private static void prepareHashing() {
        MessageDigest digest = newSha256();
        byte[] piece = new byte[HASHED_AT_ONCE];
        for (int i = 0; i < CALLED_OFTEN; i++) {
            digest.update(piece);
        }
    }

    static String sha256(byte[] bytes) {
        return HexFormat.of().formatHex(newSha256().digest(bytes));
    }

    private static MessageDigest newSha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    @Override
    public void close() throws IOException {
        store.close();
    }
}
