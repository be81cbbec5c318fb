package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a guest shall consist of, until {@link #start}. */
public final class GuestPlan {
    private static final int LONGEST_SOCKET_PATH = 107;

    private final Path folder;
    private final List<GuestDisk> disks = new ArrayList<>();
    private final List<String> options = new ArrayList<>();
    private String program = "qemu-system-x86_64";
    private int memoryMiB = 256;
    private boolean byKernel;

    GuestPlan(Path folder) {
        this.folder = folder;
    }

    /** Adds a disk; the first is the one that the firmware boots. */
    public GuestPlan disk(GuestDisk disk) {
        disks.add(disk);
        return this;
    }

    /** Lets QEMU load the tiny guest's kernel itself, which saves the firmware's two seconds. */
    public GuestPlan byKernel() {
        byKernel = true;
        return this;
    }

    public GuestPlan memoryMiB(int size) {
        memoryMiB = size;
        return this;
    }

    /** Starts this QEMU and not the host's. */
    public GuestPlan program(String path) {
        program = path;
        return this;
    }

    /** Adds options to QEMU's command line. */
    public GuestPlan options(String... words) {
        options.addAll(List.of(words));
        return this;
    }

    /** Starts QEMU and returns when its QMP answers; the machine itself may still be booting. */
    public Guest start() {
        try {
            Files.createDirectories(folder);
            Process process = Tool.start(commandLine(), folder.resolve("qemu.log"));
            return Guest.attach(folder, process);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<String> commandLine() throws IOException {
        List<String> words = new ArrayList<>(List.of(
                program, "-machine", "q35", "-accel", Lab.accelerator(), "-m", memoryMiB + "M",
                "-nodefaults", "-no-user-config", "-display", "none",
                "-chardev", "file,id=serial,append=on,path=" + folder.resolve("serial.log"), "-serial", "chardev:serial"));
        words.addAll(ports());
        for (GuestDisk disk : disks) {
            words.addAll(List.of("-blockdev", disk.blockdev(), "-device", disk.device()));
        }
        if (byKernel) {
            words.addAll(kernel());
        }
        words.addAll(options);
        return words;
    }

    private List<String> ports() {
        return List.of(
                "-chardev", socket("shell", Guest.SHELL_SOCKET), "-device", "virtio-serial-pci",
                "-device", "virtserialport,chardev=shell,name=io.afterimage.shell",
                "-chardev", socket("agent", Guest.AGENT_SOCKET),
                "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
                "-chardev", socket("qmp-lab", Guest.LAB_SOCKET), "-mon", "chardev=qmp-lab,mode=control",
                "-chardev", socket("qmp", Guest.QMP_SOCKET), "-mon", "chardev=qmp,mode=control");
    }

    private static List<String> kernel() throws IOException {
        Path lab = Lab.tinyDisk().getParent();
        String parameters = Files.readString(lab.resolve("tiny.cmdline"), StandardCharsets.UTF_8).strip();
        return List.of(
                "-kernel", lab.resolve("tiny.vmlinuz").toString(), "-initrd", lab.resolve("tiny.initrd").toString(), "-append", parameters);
    }

    /** Options for a QEMU that somebody else starts, and {@link Guest#attach} takes part in: the tiny guest's kernel, and all ports. */
    static List<String> forStranger(Path folder) throws IOException {
        List<String> words = new ArrayList<>(new GuestPlan(folder.toAbsolutePath()).ports());
        words.addAll(kernel());
        return words;
    }

    private String socket(String id, String name) {
        String path = folder.resolve(name).toString();
        if (path.length() > LONGEST_SOCKET_PATH) {
            throw new IllegalArgumentException(path + " is too long for a unix socket; choose a shorter folder");
        }
        return "socket,id=%s,server=on,wait=off,path=%s".formatted(id, path);
    }
}
