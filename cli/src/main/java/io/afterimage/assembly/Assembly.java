package io.afterimage.assembly;

import io.afterimage.app.CopyPoints;
import io.afterimage.app.ForgetPoints;
import io.afterimage.app.backup.BackUpDomain;
import io.afterimage.app.backup.BackUpGroup;
import io.afterimage.app.backup.BackUpImages;
import io.afterimage.app.backup.BackUpMachine;
import io.afterimage.app.backup.BaseImage;
import io.afterimage.app.backup.CommitOverlay;
import io.afterimage.cache.DiskTier;
import io.afterimage.catalog.LastingHolds;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.Protections;
import io.afterimage.catalog.Selector;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.keys.Secret;
import io.afterimage.maintenance.GarbageCollection;
import io.afterimage.maintenance.Verification;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.settings.CacheSettings;
import io.afterimage.settings.LocalFolders;
import io.afterimage.settings.RepositoryLocation;
import io.afterimage.store.ObjectStore;
import io.afterimage.store.Retention;
import io.afterimage.store.RetryPolicy;
import io.afterimage.store.RetryingStore;
import io.afterimage.store.Ticker;
import io.afterimage.store.file.FileObjectStore;
import io.afterimage.store.s3.S3ObjectStore;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/** Makes components from settings. */
public final class Assembly {

    private final Map<String, String> environment;
    private final SecureRandom random = new SecureRandom();

    public Assembly(Map<String, String> environment) {
        this.environment = environment;
    }

    /** The source of all that must not be guessed. */
    public SecureRandom random() {
        return random;
    }

    public LocalFolders folders() {
        return LocalFolders.of(environment);
    }

    /**
     * Makes a repository; the folder is made if it is not there.
     *
     * @param secret opens it, and makes it an encrypted one; empty for one without encryption
     */
    public Repository create(RepositoryLocation location, ChunkSize chunkSize, Optional<Secret> secret) throws IOException {
        ObjectStore store = switch (location) {
            case RepositoryLocation.Folder folder -> FileObjectStore.create(folder.path());
            case RepositoryLocation.Bucket bucket -> S3ObjectStore.open(bucket.location());
        };
        try {
            return secret.isPresent()
                    ? Repository.createEncrypted(retrying(store), chunkSize, secret.get(), random)
                    : Repository.create(retrying(store), chunkSize, random);
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    /**
     * Opens a repository.
     *
     * @param keys asked if it is encrypted
     */
    public Repository open(RepositoryLocation location, KeySource keys) throws IOException {
        ObjectStore store = switch (location) {
            case RepositoryLocation.Folder folder -> FileObjectStore.open(folder.path());
            case RepositoryLocation.Bucket bucket -> S3ObjectStore.open(bucket.location());
        };
        try {
            return Repository.open(retrying(store), keys);
        } catch (IOException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    public ChunkIndex index(Repository repository) throws IOException {
        return ChunkIndex.open(folders().index(repository.id()));
    }

    public BackUpMachine backUpMachine(Repository repository, ChunkIndex index) {
        return new BackUpMachine(repository, index, InstantSource.system(), random);
    }

    public BackUpGroup backUpGroup(Repository repository, ChunkIndex index) {
        return new BackUpGroup(backUpMachine(repository, index), backUpDomain(repository, index));
    }

    public BackUpDomain backUpDomain(Repository repository, ChunkIndex index) {
        return new BackUpDomain(repository, index, folders(), InstantSource.system(), random);
    }

    public BackUpImages backUpImages(Repository repository, ChunkIndex index) {
        return new BackUpImages(repository, index, folders().seen(repository.id()), InstantSource.system(), random);
    }

    /** The base image that a selector names. */
    public BaseImage baseImage(Repository repository, ChunkIndex index, Selector selector) throws IOException {
        Point point = repository.catalog().resolve(selector);
        return new BaseImage(repository, index, folders().seen(repository.id()), point, selector.disk());
    }

    /** For points that are made now; refused where the store cannot do it. */
    public Immutability immutability(Repository repository, Retention.Mode mode, Duration period) throws IOException {
        return Immutability.of(repository, mode, period, Instant.now());
    }

    /**
     * Copies from one repository, whose images are given, into another, whose index is given.
     *
     * @param immutability of what is stored there
     */
    public CopyPoints copyPoints(
            Repository from, ImageLibrary images, Repository to, ChunkIndex index, Optional<Immutability> immutability) {
        return new CopyPoints(from, images, to, index, immutability, InstantSource.system(), random);
    }

    /** For who reads disks once. */
    public ImageLibrary images(Repository repository) {
        return images(repository, CacheSettings.PASSING);
    }

    public ImageLibrary images(Repository repository, CacheSettings cache) {
        OpenPoints openPoints = new OpenPoints(repository.store(), InstantSource.system(), LeaseTerms.DEFAULT);
        Optional<DiskTier> disk = cache.disk() == 0
                ? Optional.empty()
                : DiskTier.open(folders().frames(), cache.disk(), repository.id(), InstantSource.system());
        return new ImageLibrary(
                repository, openPoints, cache.memory(), disk, FetchSettings.DEFAULT.withReadTimeout(cache.readTimeout()));
    }

    /** The overlays over points of the repository in a folder of this host. */
    public OverlayLibrary overlays(Path folder, Repository repository, ImageLibrary images) {
        LastingHolds holds = new LastingHolds(repository.store(), repository.catalog());
        return new OverlayLibrary(folder, images, holds, InstantSource.system());
    }

    public CommitOverlay commitOverlay(Repository repository, ImageLibrary images, OverlayLibrary overlays, ChunkIndex index) {
        return new CommitOverlay(repository, images, overlays, index, InstantSource.system(), random);
    }

    public ForgetPoints forgetPoints(Repository repository) {
        return new ForgetPoints(repository.catalog(), new Protections(repository.store()), InstantSource.system());
    }

    public GarbageCollection garbageCollection(Repository repository) {
        return new GarbageCollection(repository, InstantSource.system(), LeaseTerms.DEFAULT, random);
    }

    public Verification verification(Repository repository) {
        return new Verification(repository, InstantSource.system(), random);
    }

    private ObjectStore retrying(ObjectStore store) {
        return new RetryingStore(store, RetryPolicy.DEFAULT, Ticker.SYSTEM, random);
    }
}
