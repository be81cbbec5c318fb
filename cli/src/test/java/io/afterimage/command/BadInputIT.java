package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is wrong is said in one sentence that names it, with the exit code that the manual promises, and nothing is lost. */
class BadInputIT {

    private static final byte[] SOME_BYTES = "some bytes of a disk".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private Program afterimage;
    private Path image;

    @BeforeEach
    void makeRepository() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        image = afterimage.image("disk.raw", 1_000_000, SOME_BYTES);
    }

    private void backUp(String machine) {
        afterimage.run("backup", machine, "--image", "vda=" + image).orFail();
    }

    private static void assertFails(ExitCode code, String words, Program.Result result) {
        assertEquals(code.number(), result.exit(), result.err());
        List<String> lines = result.err().lines().filter(line -> line.startsWith("afterimage")).toList();
        assertEquals(1, lines.size(), result.err());
        assertTrue(lines.getFirst().contains(words), lines.getFirst());
        assertTrue(lines.getFirst().endsWith("."), lines.getFirst());
        assertFalse(result.err().contains("\tat "), result.err());
        assertEquals("", result.out());
    }

    @Test
    void aPlaceWithoutARepository() throws IOException {
        Path empty = Files.createDirectory(folder.resolve("empty"));
        assertFails(ExitCode.REPOSITORY, "no repository in " + empty, afterimage.on(empty).run("list"));
        assertFails(ExitCode.REPOSITORY, "is not there", afterimage.on(folder.resolve("nowhere")).run("list"));
        assertFails(ExitCode.REPOSITORY, "already", afterimage.run("init"));
    }

    @Test
    void aRepositoryOfANewerFormat() throws IOException {
        Path header = afterimage.repository().resolve("repository.json");
        Files.writeString(header, Files.readString(header).replace("\"format\" : 1", "\"format\" : 2"));
        assertFails(ExitCode.REPOSITORY, "is of format 2", afterimage.run("list"));
    }

    @Test
    void aDamagedRepositoryHeader() throws IOException {
        Files.writeString(afterimage.repository().resolve("repository.json"), "{\"format\" : ");
        assertFails(ExitCode.CORRUPT, "repository.json", afterimage.run("list"));
    }

    @Test
    void namesThatMeanNothing() {
        backUp("web");
        assertFails(ExitCode.NOT_FOUND, "no machine 'mail'", afterimage.run("list", "mail"));
        assertFails(ExitCode.NOT_FOUND, "no machine 'mail'", afterimage.run("show", "mail@latest"));
        assertFails(ExitCode.NOT_FOUND, "whose id begins with 'ffff'", afterimage.run("show", "web@ffff"));
        assertFails(ExitCode.NOT_FOUND, "at or before 2001-01-01", afterimage.run("show", "web@2001-01-01T00:00:00Z"));
        assertFails(ExitCode.NOT_FOUND, "no disk 'vdz'", afterimage.run("restore", "web/vdz", "--to", folder.resolve("x").toString()));
        assertFails(ExitCode.USAGE, "is not a selector", afterimage.run("show", "web@yesterday"));
        assertFails(ExitCode.USAGE, "is not a selector", afterimage.run("show", "../web"));
    }

    @Test
    void theBeginningOfSeveralIds() {
        backUp("web");
        backUp("web");
        assertFails(ExitCode.NOT_FOUND, "is the beginning of 2 points", afterimage.run("show", "web@0"));
    }

    @Test
    void aCommandLineThatIsNotOne() {
        assertEquals(ExitCode.USAGE.number(), afterimage.run("backup", "web").exit());
        assertEquals(ExitCode.USAGE.number(), afterimage.run("backup", "we b", "--image", "vda=" + image).exit());
        assertEquals(ExitCode.USAGE.number(), afterimage.run("backup", "web", "--image", "vda").exit());
        assertEquals(ExitCode.USAGE.number(), afterimage.run("list", "--nonsense").exit());
        assertEquals(ExitCode.USAGE.number(), afterimage.run("serve", "--nbd", "udp:1").exit());
        assertEquals(ExitCode.USAGE.number(), afterimage.on(Path.of("")).run("list").exit());
    }

    @Test
    void aServerThatCannotBeMeantSo() throws IOException {
        String socket = "unix:" + folder.resolve("s");
        String none = folder.resolve("none").toString();
        assertServeFails(ExitCode.USAGE, "TLS needs certificates", "--nbd", socket, "--tls", "require");
        assertServeFails(ExitCode.USAGE, "mean nothing without TLS", "--nbd", socket, "--tls-certificates", none);
        assertServeFails(ExitCode.USAGE, "no way to use TLS", "--nbd", socket, "--tls", "yes");
        assertServeFails(ExitCode.USAGE, "The allow list " + none + " cannot be read",
                "--nbd", socket, "--tls", "on", "--tls-certificates", none, "--tls-allow", none);
        Path allowed = Files.writeString(folder.resolve("allowed"), "anna : web\nbert\n");
        assertServeFails(ExitCode.USAGE, "Line 2 of the allow list " + allowed,
                "--nbd", socket, "--tls", "on", "--tls-certificates", none, "--tls-allow", allowed.toString());
        assertServeFails(ExitCode.USAGE, "needs clients that prove who they are", "--nbd", socket, "--tls", "on",
                "--tls-certificates", none, "--no-tls-verify-peer", "--tls-allow", allowed.toString());
        assertServeFails(ExitCode.TARGET, none + "/server-cert.pem", "--nbd", socket, "--tls", "require", "--tls-certificates", none);
        assertServeFails(ExitCode.TARGET, "require TLS", "--nbd", "tcp:0.0.0.0:0");
        assertServeFails(ExitCode.USAGE, "power of two", "--nbd", socket, "--max-payload", "3M");
        assertServeFails(ExitCode.USAGE, "least one connection", "--nbd", socket, "--max-connections", "0");
        assertServeFails(ExitCode.USAGE, "64 MiB", "--nbd", socket, "--max-total-in-flight", "1M");
        assertServeFails(ExitCode.USAGE, "longest export name", "--nbd", socket, "--max-option-size", "1k");
    }

    private void assertServeFails(ExitCode code, String words, String... options) {
        List<String> arguments = new ArrayList<>(List.of("serve"));
        arguments.addAll(List.of(options));
        assertFails(code, words, afterimage.run(arguments.toArray(String[]::new)));
    }

    @Test
    void aQmpSocketThatIsDeadOrNoneOrSilent() throws IOException {
        String absent = folder.resolve("absent.sock").toString();
        assertFails(ExitCode.SOURCE, absent, afterimage.run("backup", "web", "--qmp", absent));
        Path file = Files.createFile(folder.resolve("file.sock"));
        assertFails(ExitCode.SOURCE, file.toString(), afterimage.run("backup", "web", "--qmp", file.toString()));
        Path dead = folder.resolve("dead.sock");
        ServerSocketChannel.open(StandardProtocolFamily.UNIX).bind(UnixDomainSocketAddress.of(dead)).close();
        assertFails(ExitCode.SOURCE, dead.toString(), afterimage.run("backup", "web", "--qmp", dead.toString()));
        assertTrue(afterimage.run("list").orFail().out().startsWith("MACHINE"));
    }

    @Test
    void imagesThatCannotBeRead() throws IOException {
        String absent = folder.resolve("absent.raw").toString();
        assertFails(ExitCode.SOURCE, absent, afterimage.run("backup", "web", "--image", "vda=" + absent));
        assertFails(ExitCode.SOURCE, "cannot be used", afterimage.run("backup", "web", "--image", "vda=qcow2:" + image));
        Path disguised = folder.resolve("disguised.img");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", disguised.toString(), "1M").orFail();
        assertFails(ExitCode.SOURCE, "begins like qcow2", afterimage.run("backup", "web", "--image", "vda=" + disguised));
    }

    @Test
    void aTruncatedManifest() throws IOException {
        backUp("web");
        Path manifest = onlyFile("manifests");
        Files.write(manifest, Arrays.copyOf(Files.readAllBytes(manifest), (int) Files.size(manifest) / 2));
        assertFails(ExitCode.CORRUPT, "the manifest is damaged", afterimage.run("show", "web"));
        assertTrue(afterimage.run("list").orFail().out().contains("web"));
    }

    @Test
    void aLostManifest() throws IOException {
        backUp("web");
        Files.delete(onlyFile("manifests"));
        assertFails(ExitCode.CORRUPT, "the manifest is damaged", afterimage.run("show", "web"));
    }

    @Test
    void aDamagedDescriptor() throws IOException {
        backUp("web");
        Files.writeString(onlyFile("points"), "{ \"format\" : 1, \"machine\" : \"web\" }");
        assertFails(ExitCode.CORRUPT, "descriptor", afterimage.run("list"));
    }

    @Test
    void aTruncatedPack() throws IOException {
        backUp("web");
        Path pack = onlyFile("packs");
        Files.write(pack, Arrays.copyOf(Files.readAllBytes(pack), 300));
        Path target = folder.resolve("restored.raw");
        assertFails(ExitCode.CORRUPT, "damaged", afterimage.run("restore", "web", "--to", target.toString()));
        assertFalse(Files.exists(target));
        assertFalse(Files.exists(folder.resolve("restored.raw.partial")));
    }

    @Test
    void aFlippedBitInAPack() throws IOException {
        backUp("web");
        Path pack = onlyFile("packs");
        byte[] bytes = Files.readAllBytes(pack);
        bytes[256 + 70] ^= 1;
        Files.write(pack, bytes);
        assertFails(ExitCode.CORRUPT, "is damaged", afterimage.run("restore", "web", "--to", folder.resolve("x").toString()));
    }

    @Test
    void aTargetThatIsThereAlready() throws IOException {
        backUp("web");
        Path target = Files.writeString(folder.resolve("precious"), "precious");
        assertFails(ExitCode.TARGET, "is there already", afterimage.run("restore", "web", "--to", target.toString()));
        assertEquals("precious", Files.readString(target));
        afterimage.run("restore", "web", "--to", target.toString(), "--force").orFail();
        assertEquals(1_000_000, Files.size(target));
    }

    @Test
    void aReadOnlyFolder() {
        backUp("web");
        Path repository = afterimage.repository();
        Tool.run("mount", "--bind", repository.toString(), repository.toString()).orFail();
        try {
            Tool.run("mount", "-o", "remount,ro,bind", repository.toString()).orFail();
            assertFails(ExitCode.STORE, "read-only", afterimage.run("backup", "web", "--image", "vda=" + image));
            assertTrue(afterimage.run("list").orFail().out().contains("web"));
        } finally {
            Tool.run("umount", repository.toString()).orFail();
        }
    }

    @Test
    void aFullDisk() throws IOException {
        Path small = Files.createDirectory(folder.resolve("small"));
        Tool.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString()).orFail();
        try {
            Program cramped = afterimage.on(small.resolve("repository"));
            cramped.run("init").orFail();
            cramped.run("backup", "web", "--image", "vda=" + image).orFail();
            Path large = folder.resolve("large.raw");
            Tool.run("dd", "if=/dev/urandom", "of=" + large, "bs=1M", "count=4").orFail();
            assertFails(ExitCode.STORE, "no space", cramped.run("backup", "web", "--image", "vda=" + large));
            assertEquals(1, cramped.run("list", "--json").json().size());
            cramped.run("restore", "web", "--to", folder.resolve("still.raw").toString()).orFail();
        } finally {
            Tool.run("umount", small.toString()).orFail();
        }
    }

    /** All that this host keeps of a repository may be lost, so nothing is refused for want of room for it. */
    @Test
    void aFullCache() throws IOException {
        backUp("web");
        Path small = Files.createDirectory(folder.resolve("small"));
        Tool.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString()).orFail();
        try {
            Tool.run("fallocate", "--length=1M", small.resolve("full").toString()).orFail();
            Program cramped = afterimage.with("AFTERIMAGE_CACHE", small.toString());
            Program.Result backup = cramped.run("backup", "db", "--image", "vda=" + image).orFail();
            assertTrue(backup.err().contains("The index in " + small) && !backup.err().contains("\tat "), backup.err());
            cramped.run("verify").orFail();
            cramped.run("restore", "db", "--to", folder.resolve("db.raw").toString()).orFail();
            assertEquals(-1, Files.mismatch(image, folder.resolve("db.raw")));
        } finally {
            Tool.run("umount", small.toString()).orFail();
        }
    }

    /** Cron and systemd run programs in a locale that has no letters but those of ASCII. */
    @Test
    void namesOfFilesInAnyLetters() {
        String script = """
                set -e
                export LC_ALL=C AFTERIMAGE_REPO="$1/$(printf 'K\\303\\244ller')/repo"
                "$0" init
                cp "$2" "$AFTERIMAGE_REPO/../$(printf '\\303\\274 1.raw')"
                "$0" backup web --image "vda=$AFTERIMAGE_REPO/../$(printf '\\303\\274 1.raw')"
                "$0" restore web --to "$1/$(printf '\\303\\261.raw')"
                cmp "$2" "$1/$(printf '\\303\\261.raw')"
                """;
        afterimage.behind(List.of("sh", "-c", script)).run(folder.toString(), image.toString()).orFail();
    }

    /** A listing that leaves out what lies behind a link would be an order to delete what that needs. */
    @Test
    void aRepositoryOfWhichAPartIsALink() throws IOException {
        backUp("web");
        Path points = afterimage.repository().resolve("points");
        Path elsewhere = folder.resolve("elsewhere");
        Files.move(points, elsewhere);
        Files.createSymbolicLink(points, elsewhere);
        for (String command : List.of("list", "gc", "verify")) {
            assertFails(ExitCode.STORE, "LIST points in ", afterimage.run(command));
        }
        Files.delete(points);
        Files.move(elsewhere, points);
        afterimage.run("verify").orFail();
    }

    @Test
    void twoBackupsOfOneMachineAtOnce() throws Exception {
        Path large = folder.resolve("large.raw");
        Tool.run("dd", "if=/dev/urandom", "of=" + large, "bs=1M", "count=200").orFail();
        Process first = afterimage.start(folder.resolve("first.log"), "backup", "web", "--image", "vda=" + large);
        Path leases = afterimage.repository().resolve("leases/backup/web");
        Deadline.in(Duration.ofSeconds(30)).await(
                () -> Files.isDirectory(leases) && leases.toFile().list((_, name) -> name.endsWith(".json")).length > 0, () -> "the first backup takes no lease");
        signal(first, "STOP");
        try {
            assertFails(ExitCode.BUSY, "Another backup of 'web' is running", afterimage.run("backup", "web", "--image", "vda=" + image));
        } finally {
            signal(first, "CONT");
        }
        assertEquals(0, first.waitFor());
        backUp("web");
    }

    private static void signal(Process process, String name) {
        Tool.run("kill", "-" + name, Long.toString(process.pid())).orFail();
    }

    private Path onlyFile(String below) throws IOException {
        try (Stream<Path> files = Files.walk(afterimage.repository().resolve(below))) {
            List<Path> found = files.filter(Files::isRegularFile).toList();
            assertEquals(1, found.size());
            return found.getFirst();
        }
    }
}
