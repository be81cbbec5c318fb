package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** An encrypted repository is used like any other, as long as one has a key; without it there is one sentence and nothing else. */
class EncryptionIT {

    private static final String WORDS = "the words of a secret document, which nobody but its owner shall read";

    @TempDir
    Path folder;

    private Program afterimage;
    private Path disk;
    private Path key;

    @BeforeEach
    void makeDisk() {
        afterimage = new Program(folder);
        disk = afterimage.image("disk.raw", 3_000_320, WORDS.getBytes(StandardCharsets.UTF_8));
        Tool.run("dd", "if=/dev/urandom", "of=" + disk, "bs=64k", "seek=5", "count=20", "conv=notrunc").orFail();
        key = folder.resolve("site.key");
    }

    private Program.Result run(Path keyFile, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--key-file", keyFile.toString()));
        return afterimage.run(all.toArray(String[]::new));
    }

    private static void assertFails(ExitCode code, String words, Program.Result result) {
        assertEquals(code.number(), result.exit(), result.err());
        List<String> lines = result.err().lines().filter(line -> line.startsWith("afterimage")).toList();
        assertEquals(1, lines.size(), result.err());
        assertTrue(lines.getFirst().contains(words), lines.getFirst());
        assertTrue(lines.getFirst().endsWith("."), lines.getFirst());
        assertEquals("", result.out());
    }

    private Path passphrase(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void aKeyFileIsMadeAndOpensEverything() throws Exception {
        Program.Result made = run(key, "init", "--encrypt").orFail();
        assertTrue(made.err().contains("keep a copy"), made.err());
        assertTrue(made.out().startsWith("Made encrypted repository"), made.out());
        assertEquals("rw-------", PosixFilePermissions.toString(Files.getPosixFilePermissions(key)));
        run(key, "backup", "web", "--image", "vda=" + disk).orFail();
        assertEquals("web", run(key, "list", "--json").json().get(0).get("machine").asString());
        run(key, "show", "web").orFail();
        Path restored = folder.resolve("restored.raw");
        run(key, "restore", "web", "--to", restored.toString()).orFail();
        Tool.run("cmp", disk.toString(), restored.toString()).orFail();
        // Nothing changed: all of it is recognised by its keyed ids.
        JsonNode again = run(key, "backup", "web", "--image", "vda=" + disk, "--json").json();
        assertEquals(0, again.get("bytes").get("stored").asLong());
        assertNoContentBelow(afterimage.repository());
        assertNoContentBelow(folder.resolve("cache"));
    }

    private static void assertNoContentBelow(Path place) throws IOException {
        try (Stream<Path> files = Files.walk(place)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String bytes = Files.readString(file, StandardCharsets.ISO_8859_1);
                for (String telling : List.of(WORDS.substring(0, 20), "SQLite format", "\"disks\"")) {
                    assertFalse(bytes.contains(telling), file + " shows '" + telling + "'");
                }
            }
        }
    }

    @Test
    void theKeyMayComeFromTheEnvironmentWhenServing() throws IOException {
        run(key, "init", "--encrypt").orFail();
        run(key, "backup", "web", "--image", "vda=" + disk).orFail();
        try (ServedRepository served = ServedRepository.start(afterimage.with("AFTERIMAGE_KEY_FILE", key.toString()), folder)) {
            served.assertExact(disk, "web/vda");
        }
    }

    @Test
    void aWrongKeyAMissingOneAndOneTooMany() throws IOException {
        run(key, "init", "--encrypt").orFail();
        Path other = folder.resolve("other.key");
        run(other, "init", "--encrypt", "--repo", folder.resolve("other").toString()).orFail();
        assertFails(ExitCode.KEY, "does not open the repository", run(other, "list"));
        assertFails(ExitCode.KEY, "is encrypted: name its key", afterimage.run("list"));
        assertFails(ExitCode.KEY, "no key file " + folder.resolve("nowhere"), run(folder.resolve("nowhere"), "list"));
        assertFails(ExitCode.KEY, "not a key file", run(passphrase("text", "some text"), "list"));
        assertFails(ExitCode.KEY, "is too long to be one", run(disk, "list"));
        assertFails(ExitCode.KEY, "does not open", afterimage.run("list", "--passphrase-file", passphrase("guess", "a guess\n").toString()));
        Program clear = afterimage.on(folder.resolve("clear"));
        clear.run("init").orFail();
        assertFails(ExitCode.KEY, "is not encrypted, and a key was given", clear.run("list", "--key-file", key.toString()));
        assertEquals(ExitCode.USAGE.number(), afterimage.on(folder.resolve("third")).run("init", "--key-file", key.toString()).exit());
        assertFails(ExitCode.KEY, "no terminal", afterimage.on(folder.resolve("third")).run("init", "--encrypt"));
        assertFalse(Files.exists(folder.resolve("third")));
    }

    @Test
    void passphrasesAreAddedChangedAndRemoved() throws IOException {
        Path first = passphrase("first", "correct horse battery staple\n");
        Path second = passphrase("second", "another one altogether");
        afterimage.run("init", "--encrypt", "--passphrase-file", first.toString()).orFail();
        afterimage.run("backup", "web", "--image", "vda=" + disk, "--passphrase-file", first.toString()).orFail();
        byte[] oldHeader = Files.readAllBytes(afterimage.repository().resolve("repository.json"));
        afterimage.run("key", "change", "--passphrase-file", first.toString(), "--new-passphrase-file", second.toString()).orFail();
        assertFails(ExitCode.KEY, "does not open", afterimage.run("list", "--passphrase-file", first.toString()));
        afterimage.run("list", "--passphrase-file", second.toString()).orFail();
        afterimage.run("key", "add", "--passphrase-file", second.toString(), "--new-key-file", key.toString()).orFail();
        JsonNode slots = run(key, "key", "list", "--json").json();
        assertEquals(2, slots.size());
        assertEquals("passphrase", slots.get(0).get("kind").asString());
        assertFalse(slots.get(0).get("own").asBoolean());
        assertTrue(slots.get(1).get("own").asBoolean());
        run(key, "key", "remove", slots.get(0).get("slot").asString()).orFail();
        assertFails(ExitCode.KEY, "does not open", afterimage.run("list", "--passphrase-file", second.toString()));
        assertFails(ExitCode.KEY, "is the last one", run(key, "key", "remove", slots.get(1).get("slot").asString()));
        assertFails(ExitCode.NOT_FOUND, "no key slot 'abc'", run(key, "key", "remove", "abc"));
        Path restored = folder.resolve("restored.raw");
        run(key, "restore", "web", "--to", restored.toString()).orFail();
        Tool.run("cmp", disk.toString(), restored.toString()).orFail();
        // What the manual says of old copies of the header is true.
        Files.write(afterimage.repository().resolve("repository.json"), oldHeader);
        afterimage.run("list", "--passphrase-file", first.toString()).orFail();
    }

    @Test
    void onATerminalThePassphraseIsAskedFor() throws Exception {
        afterimage.onTerminal("spoken words\nspoken words\n", "init", "--encrypt").orFail();
        String listed = afterimage.onTerminal("spoken words\n", "list").orFail().out();
        assertTrue(listed.contains("Passphrase of the repository:"), listed);
        assertTrue(listed.contains("MACHINE"), listed);
        Program.Result wrong = afterimage.onTerminal("other words\n", "list");
        assertEquals(ExitCode.KEY.number(), wrong.exit(), wrong.out());
        Program.Result unlike = afterimage.on(folder.resolve("other")).onTerminal("a\nb\n", "init", "--encrypt");
        assertEquals(ExitCode.KEY.number(), unlike.exit(), unlike.out());
        assertTrue(unlike.out().contains("are not the same"), unlike.out());
        // A repository in clear asks for nothing.
        Program clear = afterimage.on(folder.resolve("clear"));
        clear.onTerminal("", "init").orFail();
        assertFalse(clear.onTerminal("", "list").orFail().out().contains("Passphrase"));
    }

    @Test
    void aRepositoryWithoutEncryptionHasNoKeys() {
        afterimage.run("init").orFail();
        assertFails(ExitCode.KEY, "is not encrypted and has no keys", afterimage.run("key", "list"));
    }
}
