package io.afterimage.command;

import io.afterimage.app.backup.BackUpDomain;
import io.afterimage.app.backup.BackUpGroup;
import io.afterimage.app.backup.BackUpImages;
import io.afterimage.app.backup.BackUpMachine;
import io.afterimage.app.backup.BaseImage;
import io.afterimage.assembly.Assembly;
import io.afterimage.capture.libvirt.LibvirtConnection;
import io.afterimage.catalog.Point;
import io.afterimage.command.output.PointView;
import io.afterimage.command.output.TerminalProgress;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.Repository;
import io.afterimage.settings.GroupMember;
import io.afterimage.settings.ImageSource;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage backup}. */
@Command(
        name = "backup",
        description = "Add a restore point of a machine: of a running one by libvirt or over its QMP socket, or of image files that nobody writes to.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage backup web --qmp /run/web.qmp",
            "  afterimage backup web --libvirt --quiesce preferred",
            "  afterimage backup old --image vda=/srv/old.qcow2 --image vdb=/dev/vg0/data",
            "  afterimage backup web --qmp /run/web.qmp --base debian@latest",
            "  afterimage backup web --qmp /run/web.qmp --immutable 30d",
            "  afterimage backup web --qmp /run/web.qmp --agent /run/web.agent --quiesce required",
            "  afterimage backup --group shop --member web=/run/web.qmp,agent=/run/web.agent --member db=/run/db.qmp,agent=/run/db.agent",
            "  afterimage backup --group shop web db --libvirt --quiesce required"
        })
final class BackupCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Mixin
    private CompressionOption compression;

    @Parameters(
            paramLabel = "MACHINE",
            arity = "0..*",
            converter = Argument.Machine.class,
            description = "The machine's name in the repository; with --group and --libvirt, those of its machines, each called like its domain.")
    private List<MachineName> machines = List.of();

    @ArgGroup
    private Source source = new Source();

    @Mixin
    private GroupOptions group;

    @Option(names = "--disk", paramLabel = "NODE", description = "With --qmp or --libvirt: back up this disk (name, device id or node name) and not all. May be repeated.")
    private List<String> disks = List.of();

    @Option(names = "--full", description = "With --qmp or --libvirt: read all disks whole, whatever bitmaps say.")
    private boolean full;

    @Option(
            names = "--scratch",
            paramLabel = "DIR",
            description = "With --qmp or --libvirt: where QEMU keeps what the guest overwrites meanwhile; in the worst case as much as the disks. Default: a folder below the cache's, or /var/lib/afterimage/scratch where libvirt runs QEMU as another user.")
    private Path scratch;

    @Option(names = "--domain", paramLabel = "NAME|UUID", description = "With --libvirt: the domain, where it is not called like the machine.")
    private String domain;

    @Mixin
    private ChangeOptions changes;

    @Mixin
    private QuiesceOptions quiesce;

    @Mixin
    private TransferOptions transfer;

    @Mixin
    private ImmutableOptions immutable;

    @Spec
    private CommandSpec spec;

    /** Where the disks are. */
    private static final class Source {

        @Option(names = "--qmp", paramLabel = "SOCKET", description = "The QMP socket of the running machine.")
        private Path qmp;

        @Option(
                names = "--libvirt",
                paramLabel = "URI",
                arity = "0..1",
                fallbackValue = LibvirtConnection.SYSTEM,
                description = "The libvirt that runs the machine: " + LibvirtConnection.SYSTEM + " where no URI is given.")
        private String libvirt;

        @Option(
                names = "--image",
                paramLabel = "DISK=[FORMAT:]FILE|NBD-URI",
                converter = Argument.Image.class,
                description = "An image file (raw or qcow2), a block device or an NBD export. May be repeated.")
        private List<ImageSource> images;
    }

    @Override
    public Integer call() throws IOException {
        requireSense();
        if (source.images == null) {
            transfer.confine();
            if (!quiesce.isUsed() && !group.isUsed()) {
                // Nobody waits for the cut, and a guest feels the start of a backup as well.
                transfer.transfer().makeWay();
            }
        }
        Assembly assembly = repository.assembly();
        try (Repository opened = repository.open();
                ChunkIndex index = assembly.index(opened);
                Closeable _ = transfer.watchLimits()) {
            compression.applyTo(opened);
            Optional<BaseImage> base = changes.base(assembly, opened, index);
            List<Point> points = backUp(assembly, opened, index, base, immutable.immutability(assembly, opened));
            String summary = points.stream().map(PointView::summary).collect(Collectors.joining("\n"));
            json.print(spec, group.isUsed() ? points.stream().map(PointView::of).toList() : PointView.of(points.getFirst()), summary);
        }
        return ExitCode.OK.number();
    }

    private void requireSense() {
        if (group.lacksName()) {
            throw new ParameterException(spec.commandLine(), "--member is of a group: name it by --group.");
        }
        if (group.isUsed()) {
            requireGroup();
        } else if (machines.size() != 1) {
            throw new ParameterException(spec.commandLine(), "Name the MACHINE, or with --group a group of machines and each --member.");
        } else if (source.qmp == null && source.libvirt == null && source.images == null) {
            throw new ParameterException(spec.commandLine(), "Say where '" + machine() + "' is: by --qmp, --libvirt or --image.");
        }
        if (source.images != null && (quiesce.isUsed() || transfer.isUsed())) {
            throw new ParameterException(
                    spec.commandLine(), "What is asked of the guest, --mode and limits are for running machines: leave them out with --image.");
        }
        if (source.libvirt != null && (quiesce.agent().isPresent() || transfer.isPushed() || changes.isOfOthersThanLibvirt())) {
            throw new ParameterException(
                    spec.commandLine(), "With --libvirt there is no --agent, which libvirt asks itself, --mode push, --base or --changed-context: leave them out, or use --qmp.");
        }
        if (domain != null && source.libvirt == null) {
            throw new ParameterException(spec.commandLine(), "--domain names a domain of libvirt's: add --libvirt.");
        }
        if (domain != null && group.isUsed()) {
            throw new ParameterException(spec.commandLine(), "With --group, a machine that is not called like its domain is a --member MACHINE=domain:NAME.");
        }
    }

    private void requireGroup() {
        if (source.qmp != null || source.images != null) {
            throw new ParameterException(spec.commandLine(), "With --group, name each QMP socket in its --member, and no --image.");
        }
        if (quiesce.agent().isPresent() || !disks.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "With --group, name each agent in its --member, and no --disk: all disks of the machines are backed up.");
        }
        List<GroupMember> members = group.members(machines);
        if (members.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "The group '" + group.name() + "' has no members: name them by --member, or with --libvirt each MACHINE.");
        }
        if (source.libvirt == null && members.stream().anyMatch(GroupMember::isDomain)) {
            throw new ParameterException(spec.commandLine(), "With --group, a MACHINE without its place is a domain of libvirt's: add --libvirt, or name it by --member MACHINE=SOCKET.");
        }
    }

    private MachineName machine() {
        return machines.getFirst();
    }

    /** Of what is backed up: the machine, or the group, whose members have names of their own. */
    private MachineName name() {
        return group.isUsed() ? group.name() : machine();
    }

    private List<Point> backUp(
            Assembly assembly, Repository opened, ChunkIndex index, Optional<BaseImage> base, Optional<Immutability> immutability)
            throws IOException {
        String what = (group.isUsed() ? "group " : "") + name();
        try (TerminalProgress progress = TerminalProgress.start("Backing up " + what)) {
            if (group.isUsed()) {
                List<GroupMember> members = group.members(machines);
                var like = new BackUpGroup.Request(
                        request(base, immutability), source.libvirt == null ? Optional.empty() : Optional.of(domainRequest(immutability)));
                boolean agents = members.stream().anyMatch(GroupMember::hasAgent);
                return assembly.backUpGroup(opened, index)
                        .run(group.name(), members, like, source.libvirt == null ? quiesce.quiescing(agents) : quiesce.quiescingByLibvirt(agents), progress);
            }
            if (source.libvirt != null) {
                return List.of(assembly.backUpDomain(opened, index).run(domainRequest(immutability), quiesce.quiescingByLibvirt(false), progress));
            }
            return List.of(source.qmp != null
                    ? assembly.backUpMachine(opened, index)
                            .run(request(base, immutability), quiesce.agent(), quiesce.quiescing(quiesce.agent().isPresent()), progress)
                    : assembly.backUpImages(opened, index)
                            .run(new BackUpImages.Request(machine(), source.images, base, changes.context(spec), changes.checkUnchanged(), immutability), progress));
        }
    }

    private BackUpMachine.Request request(Optional<BaseImage> base, Optional<Immutability> immutability) {
        Path folder = scratch != null ? scratch : repository.assembly().folders().scratch();
        return new BackUpMachine.Request(
                name(), source.qmp, disks, full, folder, base, changes.checkUnchanged(), immutability, transfer.transfer());
    }

    private BackUpDomain.Request domainRequest(Optional<Immutability> immutability) {
        String name = domain != null ? domain : name().text();
        return new BackUpDomain.Request(name(), source.libvirt, name, disks, full, Optional.ofNullable(scratch), changes.checkUnchanged(), immutability, transfer.transfer());
    }
}
