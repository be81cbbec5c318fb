package io.afterimage.assembly;

import io.afterimage.app.BackUpDomain;
import io.afterimage.app.BackUpImages;
import io.afterimage.app.BackUpMachine;
import io.afterimage.app.CopyPoints;
import io.afterimage.app.ForgetPoints;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Protections;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.keys.Secret;
import io.afterimage.maintenance.GarbageCollection;
import io.afterimage.maintenance.Verification;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
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
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/** Makes components from settings. */
public final class Assembly {

    /** Of decoded chunks in memory. */
    private static final long MEMORY_TIER = Runtime.getRuntime().maxMemory() / 2;

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

    public BackUpDomain backUpDomain(Repository repository, ChunkIndex index) {
        return new BackUpDomain(repository, index, folders(), InstantSource.system(), random);
    }

    public BackUpImages backUpImages(Repository repository, ChunkIndex index) {
        return new BackUpImages(repository, index, InstantSource.system(), random);
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

    public ImageLibrary images(Repository repository) {
        OpenPoints openPoints = new OpenPoints(repository.store(), InstantSource.system(), LeaseTerms.DEFAULT);
        return new ImageLibrary(repository, openPoints, MEMORY_TIER);
    }

    public ForgetPoints forgetPoints(Repository repository) {
        return new ForgetPoints(repository.catalog(), new Protections(repository.store()), InstantSource.system());
    }

    public GarbageCollection garbageCollection(Repository repository) {
        return new GarbageCollection(repository, InstantSource.system(), LeaseTerms.DEFAULT);
    }

    public Verification verification(Repository repository) {
        return new Verification(repository, InstantSource.system(), random);
    }

    private ObjectStore retrying(ObjectStore store) {
        return new RetryingStore(store, RetryPolicy.DEFAULT, Ticker.SYSTEM, random);
    }
}
