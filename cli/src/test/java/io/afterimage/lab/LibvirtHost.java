package io.afterimage.lab;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A libvirt daemon of the test's own, with machines that nobody else sees. Ends with {@link #close}, and with the JVM. */
public final class LibvirtHost implements Closeable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Path folder;
    private final Process process;

    private LibvirtHost(Path folder, Process process) {
        this.folder = folder;
        this.process = process;
    }

    /** Starts it, with all that it keeps below the folder, into which QEMU's user is let. */
    public static LibvirtHost start(Path folder) {
        try {
            for (Path open = folder; !open.equals(Path.of("/tmp")) && open.getParent() != null; open = open.getParent()) {
                if (Files.getOwner(open).getName().equals(System.getProperty("user.name"))) {
                    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwx--x--x"));
                }
            }
            Path own = Files.createDirectory(folder.resolve("l"));
            LibvirtHost host = new LibvirtHost(own, Tool.start(List.of(Lab.libvirtHost(), own.toString()), folder.resolve("libvirt-host.log")));
            host.awaitAnswer();
            return host;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void awaitAnswer() {
        Deadline.in(PATIENCE).await(
                () -> !process.isAlive() || virsh("version").exit() == 0, () -> "libvirtd does not answer: " + virsh("version").text());
        if (!process.isAlive()) {
            throw new IllegalStateException("libvirtd did not start: see libvirt-host.log beside " + folder);
        }
    }

    /**
     * What a program's words are to begin with so that it sees what software TPMs of this libvirt keep where it is looked for, which is a place
     * of the system's. Root only.
     */
    public List<String> withTpmsInPlace() {
        String script = "mkdir -p \"$0\" /var/lib/libvirt/swtpm && mount --bind \"$0\" /var/lib/libvirt/swtpm && exec \"$@\"";
        return List.of("unshare", "--mount", "--", "sh", "-c", script, folder.resolve("var/swtpm").toString());
    }

    /** As {@code virsh -c} takes it. */
    public String uri() {
        String daemon = System.getProperty("user.name").equals("root") ? "system" : "session";
        return "qemu+unix:///" + daemon + "?socket=" + folder.resolve("libvirt-sock");
    }

    /** Runs virsh on it. */
    public Tool.Result virsh(String... arguments) {
        List<String> command = new ArrayList<>(List.of("virsh", "--quiet", "--connect", uri()));
        command.addAll(List.of(arguments));
        return Tool.run(command.toArray(String[]::new));
    }

    /** Ends the daemon as a crash would; another is started in its place, and answers when this returns. */
    public void killDaemon() {
        long old = daemon().orElseThrow(() -> new IllegalStateException("no libvirtd")).pid();
        Tool.run("kill", "-KILL", Long.toString(old)).orFail();
        Deadline.in(PATIENCE).await(() -> daemon().filter(fresh -> fresh.pid() != old).isPresent(), () -> "no new libvirtd");
        awaitAnswer();
    }

    private Optional<ProcessHandle> daemon() {
        return process.descendants().filter(each -> each.info().command().orElse("").endsWith("libvirtd")).findFirst();
    }

    /** QEMU's process of a domain, by a word that its command line alone has. */
    Optional<ProcessHandle> qemu(String uuid) {
        return ProcessHandle.allProcesses().filter(each -> isQemu(each.pid(), uuid)).findFirst();
    }

    private static boolean isQemu(long pid, String uuid) {
        try {
            String words = Files.readString(Path.of("/proc", Long.toString(pid), "cmdline"), StandardCharsets.ISO_8859_1);
            return words.contains("/usr/bin/qemu-system") && words.contains(uuid);
        } catch (IOException e) {
            return false; // it has just ended
        }
    }

    @Override
    public void close() {
        for (String domain : virsh("list", "--name").text().lines().filter(name -> !name.isBlank()).toList()) {
            virsh("destroy", domain.strip());
        }
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        try {
            process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
