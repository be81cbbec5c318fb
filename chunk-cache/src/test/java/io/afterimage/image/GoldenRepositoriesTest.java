package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.keys.Secret;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.KeySource;
import io.afterimage.repository.Repository;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.file.FileObjectStore;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.json.JsonMapper;

/** Repositories that programs of the past have left are read for ever. When this fails, the program is wrong, never the repositories. */
class GoldenRepositoriesTest {

    private static final Path FORMAT_1 = fixtures();

    @TempDir
    private Path folder;

    /** A disk at a point, as {@code expected.json} has it. */
    record Expected(String repository, String machine, String point, String kind, String disk, long size, String sha256) {}

    private static Path fixtures() {
        try {
            return Path.of(GoldenRepositoriesTest.class.getResource("/golden/format-1").toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    static Stream<String> repositories() throws IOException {
        return expected().stream().map(Expected::repository).distinct();
    }

    private static List<Expected> expected() throws IOException {
        return List.of(new JsonMapper().readValue(Files.readAllBytes(FORMAT_1.resolve("expected.json")), Expected[].class));
    }

    private static KeySource key(String repository) throws IOException {
        return switch (repository) {
            case "clear" -> KeySource.NONE;
            case "key-file" -> KeySource.of(Secret.keyFile(Files.readString(FORMAT_1.resolve("site.key"))));
            default -> KeySource.of(Secret.passphrase(Files.readString(FORMAT_1.resolve("passphrase.txt")).strip()));
        };
    }

    /** A copy, since readers write leases. */
    private Repository open(String name) throws IOException {
        Path original = FORMAT_1.resolve(name);
        try (Stream<Path> files = Files.walk(original)) {
            for (Path file : files.toList()) {
                Path copy = folder.resolve(original.getParent().relativize(file).toString());
                Files.copy(file, copy);
            }
        }
        return Repository.open(FileObjectStore.open(folder.resolve(name)), key(name));
    }

    private static OpenPoints openPoints(Repository repository) {
        return new OpenPoints(repository.store(), InstantSource.system(), LeaseTerms.DEFAULT);
    }

    @ParameterizedTest
    @MethodSource("repositories")
    void everyDiskOfEveryPointIsAsItWas(String name) throws IOException {
        int read = 0;
        try (Repository repository = open(name);
                ImageLibrary images = new ImageLibrary(repository, openPoints(repository), 16 << 20, Optional.empty(), FetchSettings.DEFAULT)) {
            for (Expected expected : expected()) {
                if (expected.repository.equals(name)) {
                    assertRead(expected, repository, images);
                    read++;
                }
            }
            assertEquals(2, repository.catalog().machines().size());
        }
        assertEquals(14, read);
    }

    private static void assertRead(Expected expected, Repository repository, ImageLibrary images) throws IOException {
        Point point = repository.catalog().find(new MachineName(expected.machine), new PointId(expected.point)).orElseThrow();
        PointInTimeImage image = images.open(point, new DiskName(expected.disk));
        assertEquals(expected.size, image.size());
        ByteBuffer content = ByteBuffer.allocate((int) image.size());
        image.read(0, content);
        assertEquals(expected.sha256, sha256(content.array()), expected.toString());
        assertEquals(expected.kind, point.kind().name().toLowerCase(Locale.ROOT));
        boolean running = expected.machine.equals("web");
        assertEquals(running, !images.manifest(point).definition().isEmpty());
    }

    /** The index of a pack is not needed to read a disk, and is to stay readable all the same. */
    @ParameterizedTest
    @MethodSource("repositories")
    void everyPackTellsWhatLiesInIt(String name) throws IOException {
        int frames = 0;
        try (Repository repository = open(name)) {
            for (ObjectInfo pack : repository.store().list(PackObjects.ALL).toList()) {
                frames += repository.entries(PackObjects.id(pack.key()).orElseThrow(), pack.size()).size();
            }
        }
        assertTrue(frames > 30, "only " + frames);
    }

    private static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }
}
