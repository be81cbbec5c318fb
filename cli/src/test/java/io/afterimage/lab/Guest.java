package io.afterimage.lab;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A real machine: one qemu-system-x86_64 process with its disks, two QMP sockets, a serial log and a shell inside.
 * The process ends with {@link #close}, and with the JVM however that ends. Its folder holds {@code qmp.sock} (free for
 * the program under test), {@code serial.log} and {@code qemu.log} (what QEMU itself said). May be used by several
 * threads.
 */
public final class Guest implements Closeable {
    static final String QMP_SOCKET = "qmp.sock";
    static final String LAB_SOCKET = "lab.sock";
    static final String AGENT_SOCKET = "agent.sock";
    static final String SHELL_SOCKET = "shell.sock";
    private static final String READY = "AFTERIMAGE-GUEST-READY";
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Path folder;
    private final Process process;
    private final Qmp qmp;
    private final GuestShell shell;
    private int starts;

    private Guest(Path folder, Process process, Qmp qmp, GuestShell shell) {
        this.folder = folder;
        this.process = process;
        this.qmp = qmp;
        this.shell = shell;
    }

    /** A machine without disks, to be added to; its sockets, logs and overlays go to the folder, which is made. */
    public static GuestPlan in(Path folder) {
        return new GuestPlan(folder.toAbsolutePath());
    }

    /** The tiny guest on a throw-away qcow2 overlay, node {@code root}, started by kernel. */
    public static GuestPlan tiny(Path folder) {
        return overlaid(folder, Lab.tinyDisk()).byKernel();
    }

    /** The Debian guest on a throw-away qcow2 overlay, node {@code root}, started by its firmware. */
    public static GuestPlan debian(Path folder) {
        return overlaid(folder, Lab.debianDisk()).memoryMiB(512);
    }

    private static GuestPlan overlaid(Path folder, Path base) {
        Path root = folder.toAbsolutePath().resolve("root.qcow2");
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return in(folder).disk(GuestDisk.overlay("root", root, base.toString(), "raw"));
    }

    /** Options with which another program is to start QEMU on the tiny guest's disk, for {@link #attach}. */
    public static List<String> options(Path folder) throws IOException {
        return GuestPlan.forStranger(folder);
    }

    /**
     * Takes part in a machine that a program has started with {@link #options}.
     *
     * @param folder where the program's output is {@code serial.log}, if it shows the machine's
     * @param process the program, or QEMU
     */
    public static Guest attach(Path folder, Process process) throws IOException {
        try {
            Deadline.in(PATIENCE).await(
                    () -> !process.isAlive() || Files.exists(folder.resolve(QMP_SOCKET)),
                    () -> "QEMU made no QMP socket in " + folder);
            return new Guest(folder, process, Qmp.connect(folder.resolve(LAB_SOCKET)),
                    GuestShell.connect(folder.resolve(SHELL_SOCKET)));
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            throw new IOException("QEMU did not start: " + text(folder.resolve("qemu.log")), e);
        }
    }

    /** The QMP socket that is left to the program under test. */
    public Path qmpSocket() {
        return folder.resolve(QMP_SOCKET);
    }

    /** The guest agent's socket; the Debian guest runs an agent, the tiny one does not. */
    public Path agentSocket() {
        return folder.resolve(AGENT_SOCKET);
    }

    /** The lab's own QMP connection. */
    public Qmp qmp() {
        return qmp;
    }

    /** Everything the machine said on its serial line so far. */
    public String serial() {
        return text(folder.resolve("serial.log"));
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Waits until the machine has booted once more than it had at the last call. */
    public synchronized Guest awaitReady() {
        int wanted = starts + 1;
        Deadline.in(PATIENCE).await(() -> isUp(wanted), () -> "no " + READY + " from the guest:\n" + serial());
        starts = wanted;
        return this;
    }

    private boolean isUp(int wanted) {
        String log = serial();
        if (log.split(READY, -1).length > wanted) {
            return true;
        }
        if (!process.isAlive() || log.contains("AFTERIMAGE-GUEST-LOST") || log.contains("Kernel panic")) {
            throw new IllegalStateException("the guest did not come up:\n" + log + "\n" + text(folder.resolve("qemu.log")));
        }
        return false;
    }

    /** Runs one line of shell in the machine and returns its output; fails if it ends with anything but 0. */
    public String run(String command) {
        return tryRun(command).orFail();
    }

    /** Runs one line of shell in the machine. A program that shall go on needs its own output: {@code x > /run/x &}. */
    public GuestAnswer tryRun(String command) {
        try {
            return shell.run(command, PATIENCE);
        } catch (IOException e) {
            throw new UncheckedIOException("in the guest, " + command + ": " + e.getMessage(), e);
        }
    }

    /** Stops the machine's processors: no write leaves it until {@link #resume}. */
    public void pause() {
        qmp.execute("stop");
    }

    public void resume() {
        qmp.execute("cont");
    }

    /** QEMU's run state, such as {@code running}, {@code paused} or {@code io-error}. */
    public String status() {
        return qmp.execute("query-status").path("status").asString();
    }

    /** Presses the power button and waits for the end of QEMU, which keeps its persistent bitmaps. */
    public void powerOff() {
        qmp.execute("system_powerdown");
        awaitEnd();
    }

    /** Ends QEMU as its user would, the machine being cut off; persistent bitmaps are kept. */
    public void quit() {
        qmp.execute("quit");
        awaitEnd();
    }

    /** Ends QEMU as a crash would (SIGKILL). */
    public void kill() {
        process.destroyForcibly();
        awaitEnd();
    }

    private void awaitEnd() {
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new IllegalStateException("QEMU does not end; the guest's last words:\n" + serial());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while QEMU was ending", e);
        }
    }

    @Override
    public void close() throws IOException {
        try (qmp; shell) {
            kill();
        }
    }

    private static String text(Path log) {
        try {
            // A log may be cut in the middle of a character.
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
