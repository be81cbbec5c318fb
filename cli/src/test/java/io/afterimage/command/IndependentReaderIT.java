package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The pages in {@code docs/formats} are enough to read what this program writes: a reader in another language, written from them, takes
 * the same bytes out, and is not deceived by a bit that was flipped.
 */
@ParameterizedClass(name = "{0}")
@EnumSource
class IndependentReaderIT {

    private static final int CHUNK = 4096;
    private static final int UNIT = CHUNK / 256;
    /** More than a segment of the map, and no multiple of anything. */
    private static final int SYSTEM_SIZE = 5000 * CHUNK + 37;

    private static final int DATA_SIZE = 300 * CHUNK + 2055;

    enum Protection {
        CLEAR,
        KEY_FILE,
        PASSPHRASE
    }

    @Parameter
    private Protection protection;

    @TempDir
    private Path folder;

    private final Random random = new Random(4);
    private Program afterimage;
    private List<String> key;
    private Path target;

    @BeforeEach
    void makeRepository() throws IOException {
        PointReader.require();
        afterimage = new Program(folder);
        target = folder.resolve("read.raw");
        key = switch (protection) {
            case CLEAR -> List.of();
            case KEY_FILE -> List.of("--key-file", folder.resolve("site.key").toString());
            case PASSPHRASE -> List.of("--passphrase-file", Files.writeString(folder.resolve("words"), " Gru\u0308ße \r\nno more\n").toString());
        };
        List<String> init = new ArrayList<>(List.of("init", "--chunk-size", "4k"));
        if (!key.isEmpty()) {
            init.add("--encrypt");
        }
        run(init);
    }

    private Program.Result run(List<String> arguments) {
        return afterimage.run(Stream.concat(arguments.stream(), key.stream()).toArray(String[]::new)).orFail();
    }

    private String backUp(Path system, Path data) {
        return run(List.of("backup", "web", "--image", "vda=" + system, "--image", "vdb=" + data, "--json"))
                .json()
                .get("point")
                .asString();
    }

    private Tool.Result read(String disk, String point) {
        return PointReader.read(afterimage.repository(), "web", disk, point, target, key);
    }

    /** An image whose first chunk is noise, which no compressor makes smaller. */
    private Path image(String name, int size) {
        byte[] begin = new byte[CHUNK];
        random.nextBytes(begin);
        return afterimage.image(name, size, begin);
    }

    @Test
    void whatTheProgramWroteIsReadByThePages() throws IOException {
        Path system = image("system.raw", SYSTEM_SIZE);
        Path data = image("data.raw", DATA_SIZE);
        List<String> points = new ArrayList<>();
        for (int number = 0; number < 4; number++) {
            change(system);
            change(data);
            points.add(backUp(system, data));
            Files.copy(system, folder.resolve("vda" + number));
            Files.copy(data, folder.resolve("vdb" + number));
        }
        for (int number = 0; number < points.size(); number++) {
            for (String disk : List.of("vda", "vdb")) {
                read(disk, points.get(number).substring(0, 24)).orFail();
                assertEquals(-1, Files.mismatch(folder.resolve(disk + number), target), disk + " at point " + number);
            }
        }
        read("vda", "").orFail();
        assertEquals(-1, Files.mismatch(system, target), "without a point it is the latest");
        String blocks = Tool.run("stat", "--format=%b", target.toString()).orFail().text().strip();
        assertTrue(Long.parseLong(blocks) * 512 < SYSTEM_SIZE / 2, "zeros take room: " + blocks);
    }

    /** Noise, text, bytes of another place, and zeros where there were none, at places of any alignment; and always the last byte. */
    private void change(Path image) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            long size = file.length();
            for (int i = 0; i < 60; i++) {
                byte[] bytes = new byte[1 + random.nextInt(5 * CHUNK)];
                long at = CHUNK + random.nextLong(size - CHUNK - bytes.length);
                switch (i % 4) {
                    case 0 -> random.nextBytes(bytes);
                    case 1 -> bytes = ("line " + i + "\n").repeat(bytes.length / 8 + 1).getBytes(StandardCharsets.US_ASCII);
                    case 2 -> {
                        file.seek(random.nextInt(CHUNK));
                        file.readFully(bytes);
                    }
                    default -> {}
                }
                file.seek(at);
                file.write(bytes, 0, (int) Math.min(bytes.length, size - at));
            }
            file.seek(size - 1);
            file.write(1 + random.nextInt(255));
        }
    }

    @Test
    void aFlippedBitIsNoticed() throws IOException {
        Path system = image("system.raw", SYSTEM_SIZE);
        Path data = image("data.raw", DATA_SIZE);
        backUp(system, data);
        Path pack = only("packs");
        // The first frame, header by header field, and its payload.
        for (int byteOfFrame : new int[] {0, 7, 10, 15, 16, 31, 32, 63, 64, 64 + CHUNK - 1}) {
            assertFlipIsNoticed(pack, 2 * UNIT + byteOfFrame);
        }
        Path manifest = only("manifests");
        for (int i = 0; i < 5; i++) {
            assertFlipIsNoticed(manifest, random.nextInt((int) Files.size(manifest)));
        }
        Path descriptor = only("points");
        Path header = afterimage.repository().resolve("repository.json");
        for (int at : new int[] {0, 8, 20, 200, (int) Files.size(descriptor) - 5}) {
            assertFlipIsNoticed(descriptor, at);
        }
        if (protection != Protection.CLEAR) {
            for (String field : List.of("\"id\"", "\"salt\"", "\"nonce\"", "\"wrapped\"")) {
                assertFlipIsNoticed(header, Files.readString(header).indexOf(field) + field.length() + 8);
            }
        }
        read("vda", "").orFail();
        assertEquals(-1, Files.mismatch(system, target), "all is as it was before");
    }

    private void assertFlipIsNoticed(Path object, int at) throws IOException {
        byte[] whole = Files.readAllBytes(object);
        byte[] flipped = whole.clone();
        flipped[at] ^= 1;
        Files.write(object, flipped);
        Tool.Result result = read("vda", "");
        Files.write(object, whole);
        assertEquals(1, result.exit(), object + " with another byte " + at + " is believed: " + result.text());
        assertEquals(1, result.text().lines().count(), result.text());
    }

    private Path only(String kind) throws IOException {
        try (Stream<Path> files = Files.walk(afterimage.repository().resolve(kind))) {
            List<Path> found = files.filter(Files::isRegularFile).toList();
            assertEquals(1, found.size(), found.toString());
            return found.getFirst();
        }
    }
}
