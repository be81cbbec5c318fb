package io.afterimage.manifest;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/** Manifests as objects of a store: {@code manifests/<machine>/<point id>}, one zstd frame with the SQLite file in it. */
public final class ManifestObjects {

    /** All manifests. */
    public static final KeyPrefix ALL = KeyPrefix.folder("manifests");

    /** No manifest is larger: a disk of 128 TiB in long runs, or one of 20 TiB in the shortest. */
    public static final int LARGEST = Integer.MAX_VALUE - 8;

    private static final int LEVEL = 3;

    /** Whose manifest an object is. */
    public record Name(MachineName machine, PointId point) {}

    private ManifestObjects() {}

    public static ObjectKey key(MachineName machine, PointId point) {
        return ObjectKey.of("manifests", machine.text(), point.hex());
    }

    /** The point whose manifest lies at {@code key}; empty if that is no place of a manifest. */
    public static Optional<Name> name(ObjectKey key) {
        String[] segments = key.value().split("/", -1);
        try {
            Name name = new Name(new MachineName(segments[segments.length - 2]), new PointId(key.name()));
            return key(name.machine, name.point).equals(key) ? Optional.of(name) : Optional.empty();
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    /**
     * Does what takes long with the first manifest that a JVM reads, and never again: libraries are found, unpacked and loaded. For who will read one and has the time now; nothing depends on it.
     */
    public static void prepare() {
        try {
            Manifest any = new Manifest(
                    new PointId("0".repeat(32)), new MachineName("any"), Optional.empty(), ChunkSize.DEFAULT, PackTable.EMPTY, List.of(), new TreeMap<>());
            ManifestFile.open(decompress(compress(ManifestFile.write(any))), ChunkSize.DEFAULT);
        } catch (CorruptManifestException e) {
            throw new IllegalStateException("a manifest cannot be read that was written just now", e);
        }
    }

    public static byte[] compress(byte[] file) {
        return Zstd.compress(file, LEVEL);
    }

    public static byte[] decompress(byte[] object) throws CorruptManifestException {
        long size = Zstd.getFrameContentSize(object);
        // What no compressor makes of anything but a bomb.
        long credible = Math.min(LARGEST, 1024L * 1024 + 4096L * object.length);
        if (size <= 0 || size > credible) {
            throw new CorruptManifestException("its stored form is not one zstd frame of a credible size");
        }
        try {
            return Zstd.decompress(object, (int) size);
        } catch (ZstdException e) {
            throw new CorruptManifestException("it does not decompress", e);
        }
    }
}
