package io.afterimage.repository;

import io.afterimage.block.ByteRange;
import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDescriptor;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.EncodedChunk;
import io.afterimage.chunk.FrameCodec;
import io.afterimage.chunk.PackId;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.Manifest;
import io.afterimage.manifest.ManifestFile;
import io.afterimage.manifest.ManifestObjects;
import io.afterimage.pack.PackBuilder;
import io.afterimage.store.ObjectKey;
import io.afterimage.store.Retention;
import io.afterimage.store.StoreException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Adds one point: stores chunks that the repository does not have, then {@linkplain #seal the manifest}, then {@linkplain #commit the
 * descriptor}. A writer that is closed, or killed, before the commit has changed nothing that anybody sees; packs that it has
 * stored are found, and used, by the next backup. {@link #find} and {@link #encode} may be called by many threads, the rest by one.
 */
public final class PointWriter implements Closeable {

    private final Repository repository;
    private final BackupLease lease;
    private final SecureRandom random;
    private final Healing healing;
    private final KnownChunks known;
    private final PackUploads uploads;
    private final Optional<Manifest> parent;
    private final Optional<Immutability> immutability;
    private PackBuilder pack;

    /** For a point that is not immutable. */
    public PointWriter(
            Repository repository, BackupLease lease, ChunkIndex index, Optional<Manifest> parent, SecureRandom random)
            throws IOException {
        this(repository, lease, index, parent, Optional.empty(), random);
    }

    /**
     * Learns what is condemned, and what is damaged.
     *
     * @param lease held by the caller until the writer is closed
     * @param index of this repository; stays open
     * @param parent whose packs are there, since its point is {@linkplain BackupLease#hold held}
     * @param immutability what the objects of the point are to be under, if it is to be immutable
     */
    public PointWriter(
            Repository repository,
            BackupLease lease,
            ChunkIndex index,
            Optional<Manifest> parent,
            Optional<Immutability> immutability,
            SecureRandom random)
            throws IOException {
        this.parent = parent;
        this.immutability = immutability;
        this.repository = repository;
        this.lease = lease;
        this.random = random;
        // In this order: a condemnation that is carried out between the two has left moves by then.
        Set<PackId> condemned = Condemnation.packs(repository.store());
        healing = new Healing(repository, index);
        known = new KnownChunks(repository, index, parent, condemned, healing);
        uploads = new PackUploads(this::put, index, known::stored);
        pack = newPack();
    }

    /** Makes {@link #find} know all chunks of the repository: worth a listing when much is to be read. */
    public void learnAll() throws IOException {
        known.learnAll();
    }

    /** Where the repository has a chunk of that hash, or null. */
    public ChunkAddress find(ChunkId id) {
        return known.find(id);
    }

    /**
     * Where a disk of the parent has chunks that were found damaged, and so are to be read again though they have not changed: ordered ranges of
     * whole chunks, cut at the disk's end.
     */
    public List<ByteRange> damaged(BlockMap map) {
        return healing.toReadAgain(map);
    }

    /** As {@link FrameCodec#id}. */
    public ChunkId id(byte[] chunk, int offset) {
        return repository.codec().id(chunk, offset);
    }

    /** As {@link FrameCodec#encode}. */
    public EncodedChunk encode(ChunkId id, byte[] chunk, int offset) {
        return repository.codec().encode(id, chunk, offset);
    }

    /** Lays a chunk behind those added before. May wait until earlier packs are stored. */
    public ChunkAddress add(EncodedChunk chunk) throws IOException {
        ChunkAddress address = pack.add(chunk);
        known.add(chunk.id(), address);
        if (pack.isFull()) {
            uploads.put(pack);
            pack = newPack();
        }
        return address;
    }

    /** What the point will be under; empty if it may be forgotten at any time. */
    public Optional<Retention> retention() {
        return immutability.map(Immutability::retention);
    }

    private void put(ObjectKey key, ByteBuffer content) throws IOException {
        if (immutability.isPresent()) {
            immutability.get().lock().put(key, immutability.get().retention(), content);
        } else {
            repository.store().put(key, content);
        }
    }

    /** Waits until all chunks are stored, and locked if the point is to be immutable, then stores the manifest. The point is not there yet. */
    public Point.Seal seal(Manifest manifest) throws IOException {
        healing.carryOver(this);
        finishPacks();
        if (immutability.isPresent()) {
            new PointLock(repository, immutability.get()).cover(manifest, parent, uploads.stored());
        }
        ObjectKey key = ManifestObjects.key(manifest.machine(), manifest.point());
        byte[] object = repository.seal().seal(key, ManifestObjects.compress(ManifestFile.write(manifest)));
        put(key, ByteBuffer.wrap(object));
        return new Point.Seal(object.length, Repository.sha256(object));
    }

    /** Waits until all chunks added are stored. */
    public void finishPacks() throws IOException {
        if (!pack.isEmpty()) {
            uploads.put(pack);
            pack = newPack();
        }
        uploads.await();
    }

    /** The bytes of the packs that the store has taken. */
    public long storedBytes() {
        return uploads.bytes();
    }

    /** Stores the descriptor: from now on the point is there. Then older points are told where their damaged chunks lie anew. */
    public void commit(Point point) throws IOException {
        lease.confirm();
        try {
            ObjectKey key = Catalog.key(point.machine(), point.id());
            put(key, ByteBuffer.wrap(repository.seal().seal(key, PointDescriptor.of(point).toJson())));
        } catch (StoreException e) {
            if (e.outcome() == StoreException.Outcome.AMBIGUOUS) {
                lease.leave();
            }
            throw e;
        }
        if (lease.isOver()) {
            // This process stood still for so long that gc may have taken it for dead. What is locked is hidden by that all the same.
            repository.catalog().forget(point.machine(), point.id());
            lease.check();
        }
        healing.finish(known);
    }

    private PackBuilder newPack() {
        return new PackBuilder(PackId.random(random), repository.codec());
    }

    @Override
    public void close() {
        uploads.close();
    }
}
