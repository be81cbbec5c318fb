package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Deadline;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Disks that other programs export over NBD, and that know what has changed, or say so. */
class NbdSourcesIT {

    private static final int CHUNK = 65536;

    @TempDir
    private Path folder;

    private Program afterimage;
    private Path image;
    private Path socket;
    private int servers;

    @BeforeEach
    void makeDisk() {
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        image = folder.resolve("disk.qcow2");
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", image.toString(), "8M").orFail();
        write("write -P 1 0 2M", "write -P 2 4M 1M");
    }

    private void write(String... commands) {
        for (String command : commands) {
            Tool.run("qemu-io", "-f", "qcow2", "-c", command, image.toString()).orFail();
        }
    }

    /** A server of QEMU's, until it is ended. */
    private Process serve(String... options) throws IOException {
        socket = folder.resolve("nbd" + servers++);
        List<String> command = new ArrayList<>(List.of("qemu-nbd", "--read-only", "--persistent", "--shared=8", "--format=qcow2", "--socket=" + socket));
        command.addAll(List.of(options));
        command.add(image.toString());
        Process server = Tool.start(command, folder.resolve("nbd.log"));
        Deadline.in(Duration.ofMinutes(1)).await(() -> Files.exists(socket) || !server.isAlive(), () -> "qemu-nbd makes no socket");
        return server;
    }

    private static void end(Process server) {
        server.destroy();
        server.onExit().join();
    }

    private JsonNode backUp(String... options) {
        List<String> words = new ArrayList<>(List.of("backup", "web", "--image", "vda=nbd+unix:///?socket=" + socket, "--json"));
        words.addAll(List.of(options));
        return afterimage.run(words.toArray(String[]::new)).json();
    }

    /** Such as a snapshot of LVM's that has run full. */
    @Test
    void aDiskThatCannotBeReadIsNamed() throws IOException {
        socket = folder.resolve("broken");
        Process server = Tool.start(List.of("nbdkit", "-f", "-r", "-U", socket.toString(), "--filter=error", "pattern", "8M", "error=EIO", "error-pread-rate=100%"),
                folder.resolve("nbd.log"));
        Deadline.in(Duration.ofMinutes(1)).await(() -> Files.exists(socket) || !server.isAlive(), () -> "nbdkit makes no socket");
        Program.Result refused = afterimage.run("backup", "web", "--image", "vda=nbd+unix:///?socket=" + socket);
        end(server);
        assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
        assertTrue(refused.err().contains("The disk vda cannot be read at "), refused.err());
        assertEquals(0, afterimage.run("list", "--json").json().size());
    }

    @Test
    void anExportIsReadWholeOrWhereItsContextSays() throws IOException {
        Process server = serve();
        JsonNode full = backUp();
        end(server);
        assertEquals(3 << 20, full.path("bytes").path("read").asLong(), full.toString());

        Tool.run("qemu-img", "bitmap", "--add", "-g", "65536", image.toString(), "daily").orFail();
        write("write -P 3 1M 64k", "write -z 4M 64k");
        server = serve("--bitmap=daily");
        JsonNode increment = backUp("--changed-context", "qemu:dirty-bitmap:daily", "--changed-since", "latest");
        assertEquals(full.path("point").asString(), increment.path("parent").asString());
        assertEquals("bitmap", increment.path("disks").path(0).path("change").asString(), increment.toString());
        assertEquals(2 * CHUNK, increment.path("bytes").path("dirty").asLong(), increment.toString());
        assertExact();

        // Without the context, or with one that the server does not have: compared whole.
        assertWhole("no --changed-context", backUp());
        assertWhole("does not offer", backUp("--changed-context", "qemu:dirty-bitmap:weekly", "--changed-since", "latest"));
        end(server);

        // A bitmap that does not tell all: found by looking.
        Tool.run("qemu-img", "bitmap", "--clear", image.toString(), "daily").orFail();
        Tool.run("qemu-img", "bitmap", "--disable", image.toString(), "daily").orFail();
        write("write -P 5 512k 64k");
        server = serve("--bitmap=daily");
        assertWhole("was said not to have changed",
                backUp("--changed-context", "qemu:dirty-bitmap:daily", "--changed-since", "latest", "--check-unchanged", "100%"));
        end(server);
        assertExact();
    }

    @Test
    void anotherRepositorysServerIsASourceLikeAnyOther() throws IOException {
        Process server = serve();
        JsonNode first = backUp();
        end(server);
        write("write -P 7 5M 64k");
        server = serve();
        backUp();
        end(server);
        Program other = afterimage.on(folder.resolve("second"));
        other.run("init").orFail();
        try (ServedRepository served = ServedRepository.start(afterimage, folder)) {
            JsonNode copy = other.run("backup", "web", "--image", "vda=" + served.uri("web/vda@" + first.path("point").asString()), "--json").json();
            assertEquals("full", copy.path("kind").asString());
            JsonNode next = other.run("backup", "web", "--image", "vda=" + served.uri("web/vda@latest"), "--json",
                    "--changed-context", "x-afterimage:changed-since/" + first.path("point").asString(),
                    "--changed-since", copy.path("point").asString()).json();
            assertEquals(CHUNK, next.path("bytes").path("read").asLong(), next.toString());
        }
    }

    @Test
    void whatCannotBeUsedIsSaidInOneSentence() {
        socket = folder.resolve("nobody");
        assertRefused(ExitCode.SOURCE, "vda cannot be read");
        assertRefused(ExitCode.USAGE, "--changed-since POINT", "--changed-context", "qemu:dirty-bitmap:daily");
        assertRefused(ExitCode.USAGE, "--changed-context NAME", "--changed-since", "latest");
        assertRefused(ExitCode.NOT_FOUND, "no machine 'web'", "--changed-context", "qemu:dirty-bitmap:daily", "--changed-since", "latest");
        assertRefused(ExitCode.NOT_FOUND, "no machine 'golden'", "--base", "golden");
    }

    private void assertRefused(ExitCode code, String words, String... options) {
        List<String> command = new ArrayList<>(List.of("backup", "web", "--image", "vda=nbd+unix:///?socket=" + socket));
        command.addAll(List.of(options));
        Program.Result result = afterimage.run(command.toArray(String[]::new));
        assertEquals(code.number(), result.exit(), result::err);
        assertTrue(result.err().contains(words), result::err);
    }

    private static void assertWhole(String reason, JsonNode point) {
        assertEquals("whole", point.path("disks").path(0).path("change").asString(), point.toString());
        assertTrue(point.path("disks").path(0).path("reason").asString().contains(reason), point.toString());
    }

    private void assertExact() {
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web", "--to", restored.toString(), "--force").orFail();
        Tool.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", restored.toString(), image.toString()).orFail();
    }
}
