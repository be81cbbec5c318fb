package io.afterimage.lab;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import tools.jackson.databind.JsonNode;

/** The tiny machine as a domain of a {@link LibvirtHost}, with disks vdb, vdc, …; it also has a QMP socket that libvirt does not use. */
public final class LibvirtGuest implements Closeable {
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final String READY = "AFTERIMAGE-GUEST-READY";
    private static final Path HOSTS_QEMU = Path.of("/usr/bin/qemu-system-x86_64");

    private final LibvirtHost host;
    private final String name;
    private final String uuid;
    private final Path folder;
    private GuestShell shell;
    private int boots;

    private LibvirtGuest(LibvirtHost host, String name, String uuid, Path folder) {
        this.host = host;
        this.name = name;
        this.uuid = uuid;
        this.folder = folder;
    }

    /**
     * Defines the domain.
     *
     * @param folder where its sockets and its own disk go; made
     * @param disks image files by target; raw if the file's name ends so, else qcow2
     * @param firmware what the {@code os} element says of it, in libvirt's XML; may be empty, as the devices
     * @param devices more of them
     */
    public static LibvirtGuest define(LibvirtHost host, String name, Path folder, Map<String, Path> disks, String firmware, String devices) {
        return define(host, name, folder, disks, firmware, devices, HOSTS_QEMU);
    }

    /** The same, run by another QEMU than the host's own, into whose folder QEMU's user must be let. */
    public static LibvirtGuest define(
            LibvirtHost host, String name, Path folder, Map<String, Path> disks, String firmware, String devices, Path emulator) {
        try {
            Files.createDirectories(folder);
            // QEMU, as whatever user, makes its sockets there.
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxrwxrwx"));
            Path lab = Lab.tinyDisk().getParent();
            for (String part : new String[] {"tiny.vmlinuz", "tiny.initrd"}) {
                // libvirt gives what a machine uses to QEMU's user.
                Files.copy(lab.resolve(part), folder.resolve(part), StandardCopyOption.REPLACE_EXISTING);
            }
            Tool.run("cp", "--sparse=always", Lab.tinyDisk().toString(), folder.resolve("root.raw").toString()).orFail();
            StringBuilder all = new StringBuilder(disk("vda", folder.resolve("root.raw")));
            disks.forEach((target, file) -> all.append(disk(target, file)));
            String uuid = UUID.randomUUID().toString();
            Path xml = folder.resolve("domain.xml");
            Files.writeString(xml, """
                    <domain type='%s' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
                      <name>%s</name><uuid>%s</uuid><memory unit='MiB'>256</memory><vcpu>1</vcpu>
                      <os><type arch='x86_64' machine='q35'>hvm</type>%8$s
                        <kernel>%4$s/tiny.vmlinuz</kernel><initrd>%4$s/tiny.initrd</initrd><cmdline>%5$s</cmdline></os>
                      <features><acpi/></features>
                      <devices><emulator>%9$s</emulator>%6$s%7$s
                        <serial type='file'><source path='%4$s/serial.log' append='on'/></serial>
                        <channel type='unix'><source mode='bind' path='%4$s/shell.sock'/>
                          <target type='virtio' name='io.afterimage.shell'/></channel>
                        <memballoon model='none'/>
                      </devices>
                      <qemu:commandline><qemu:arg value='-qmp'/><qemu:arg value='unix:%4$s/qmp.sock,server=on,wait=off'/></qemu:commandline>
                    </domain>
                    """.formatted(
                            Lab.accelerator().startsWith("kvm") ? "kvm" : "qemu", name, uuid, folder,
                            Files.readString(lab.resolve("tiny.cmdline")).strip(), all, devices, firmware, emulator));
            host.virsh("define", xml.toString()).orFail();
            return new LibvirtGuest(host, name, uuid, folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String disk(String target, Path file) {
        return """
                <disk type='file' device='disk'><driver name='qemu' type='%s' discard='unmap'/><source file='%s'/>\
                <target dev='%s' bus='virtio'/></disk>""".formatted(file.toString().endsWith(".raw") ? "raw" : "qcow2", file, target);
    }

    /** Adds a disk to the running machine. */
    public void attach(String target, Path file) {
        try {
            Path xml = Files.writeString(folder.resolve(target + ".xml"), disk(target, file));
            host.virsh("attach-device", name, xml.toString(), "--live").orFail();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Starts the machine and waits until it is up. */
    public LibvirtGuest boot() {
        host.virsh("start", name).orFail();
        boots++;
        Deadline.in(PATIENCE).await(() -> serial().split(READY, -1).length > boots, () -> "the guest does not come up:\n" + serial());
        try {
            if (shell != null) {
                shell.close();
            }
            shell = GuestShell.connect(folder.resolve("shell.sock"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    private String serial() {
        try {
            Path log = folder.resolve("serial.log");
            return Files.exists(log) ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs one line of shell in the machine and returns its output. */
    public String run(String command) {
        try {
            return shell.run(command, PATIENCE).orFail();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String name() {
        return name;
    }

    /** What QEMU exports over NBD: each export, and the node that it shows. */
    public List<String> exports() {
        List<String> exports = new ArrayList<>();
        qmp("query-block-exports").forEach(export -> exports.add(export.toString()));
        return exports;
    }

    /** QEMU's answer to a question, on the socket that is not libvirt's: whoever asks again and again starts no virsh each time. */
    public JsonNode qmp(String command) {
        try (Qmp qmp = Qmp.connect(qmpSocket())) {
            return qmp.execute(command);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public Path qmpSocket() {
        return folder.resolve("qmp.sock");
    }

    /** As {@code virsh domstate --reason} tells it. */
    public String state() {
        return host.virsh("domstate", name, "--reason").orFail().text().strip();
    }

    public void pause() {
        host.virsh("suspend", name).orFail();
    }

    public void resume() {
        host.virsh("resume", name).orFail();
    }

    /** Ends QEMU as a crash would, and waits until libvirt has noticed. */
    public void kill() {
        host.qemu(uuid).orElseThrow(() -> new IllegalStateException("no QEMU of " + name)).destroyForcibly();
        Deadline.in(PATIENCE).await(() -> state().startsWith("shut off"), this::state);
    }

    /** Ends QEMU in order; its bitmaps are kept. */
    public void destroyGracefully() {
        host.virsh("destroy", name, "--graceful").orFail();
    }

    @Override
    public void close() throws IOException {
        host.virsh("destroy", name);
        if (shell != null) {
            shell.close();
        }
    }
}
