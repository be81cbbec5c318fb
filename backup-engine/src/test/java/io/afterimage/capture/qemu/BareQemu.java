package io.afterimage.capture.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/**
 * A real QEMU without an operating system. The tests are its guest: they write through the device's own block backend (the human
 * monitor's {@code qemu-io -d}), so through filters and dirty bitmaps, at exactly the instants that they choose.
 */
final class BareQemu implements AutoCloseable {

    private final Path folder;
    private final Process process;
    private final QmpClient control;

    private BareQemu(Path folder, Process process, QmpClient control) {
        this.folder = folder;
        this.process = process;
        this.control = control;
    }

    /** Starts with QMP on {@code qmp.sock} and a second monitor for the test's own use. */
    static BareQemu start(Path folder, List<String> arguments) throws IOException, InterruptedException {
        return start(folder, List.of(), arguments);
    }

    /** The same, by way of a program that changes what QEMU may do. */
    static BareQemu start(Path folder, List<String> wrapper, List<String> arguments) throws IOException, InterruptedException {
        Files.createDirectories(folder);
        var command = new ArrayList<>(wrapper);
        command.addAll(List.of(
                "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "none", "-name", "bare",
                "-qmp", "unix:" + folder.resolve("qmp.sock") + ",server=on,wait=off",
                "-qmp", "unix:" + folder.resolve("control.sock") + ",server=on,wait=off"));
        command.addAll(arguments);
        Files.deleteIfExists(folder.resolve("control.sock"));
        Path output = folder.resolve("qemu.log");
        Process process = Program.start(output, command);
        while (true) {
            if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
                throw new AssertionError("QEMU ended: " + Files.readString(output));
            }
            try {
                return new BareQemu(folder, process, QmpClient.connect(folder.resolve("control.sock"), Duration.ofSeconds(20)));
            } catch (QmpException e) {
                // it has not made the socket yet
            }
        }
    }

    /** Arguments for a virtio disk whose format node and file have names. */
    static List<String> disk(String node, String driver, Path file) {
        return List.of(
                "-blockdev", "{\"driver\":\"" + driver + "\",\"node-name\":\"" + node + "\",\"discard\":\"unmap\",\"file\":"
                        + "{\"driver\":\"file\",\"filename\":\"" + file + "\",\"node-name\":\"" + node + "-file\",\"discard\":\"unmap\"}}",
                "-device", "virtio-blk-pci,drive=" + node + ",id=dev-" + node);
    }

    Path qmp() {
        return folder.resolve("qmp.sock");
    }

    /** The test's own connection, on a monitor of its own. */
    QmpClient control() {
        return control;
    }

    /** A write, {@code discard}, {@code flush}, ... as qemu-io spells it, done by the device of that id. */
    void io(String deviceId, String command) throws IOException {
        String result = monitor("qemu-io -d /machine/peripheral/" + deviceId + "/virtio-backend \"" + command + "\"");
        if (!result.isEmpty() && (result.contains("rror") || result.contains("failed"))) {
            throw new AssertionError(deviceId + ": " + command + ": " + result);
        }
    }

    String monitor(String commandLine) throws IOException {
        return control.execute("human-monitor-command", QmpClient.arguments().put("command-line", commandLine)).asString("");
    }

    String status() throws IOException {
        return control.execute("query-status").path("status").asString("");
    }

    /** The ids and names of everything that Afterimage has in this QEMU, checkpoints apart. */
    List<String> traces() throws IOException {
        var traces = new ArrayList<String>();
        for (JsonNode export : control.execute("query-block-exports")) {
            traces.add(export.path("id").asString(""));
        }
        for (JsonNode job : control.execute("query-jobs")) {
            traces.add(job.path("id").asString(""));
        }
        for (BlockNode node : BlockGraph.query(control).nodes()) {
            traces.add(node.name());
        }
        traces.removeIf(name -> !name.startsWith("afterimage"));
        return traces;
    }

    /** Names of the dirty bitmaps on a node, internal ones apart. */
    List<String> bitmaps(String node) throws IOException {
        return BlockGraph.query(control).node(node).orElseThrow().bitmaps().stream()
                .map(DirtyBitmap::name)
                .filter(name -> !name.isEmpty())
                .sorted()
                .toList();
    }

    /** SIGKILL. */
    void kill() {
        close();
    }

    /** Ends as by the user's {@code quit}: images are closed, persistent bitmaps stored. */
    void quit() throws IOException, InterruptedException {
        try {
            control.execute("quit");
        } catch (QmpException e) {
            // it may be gone before its answer
        }
        process.waitFor();
        control.close();
    }

    long pid() {
        return process.pid();
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
        control.close();
    }
}
