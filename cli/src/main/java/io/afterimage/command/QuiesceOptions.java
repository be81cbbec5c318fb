package io.afterimage.command;

import io.afterimage.app.backup.Quiescing;
import io.afterimage.capture.qemu.HostCommand;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What is done for the guest's sake around the cut: its agent, and commands on this host. */
final class QuiesceOptions {

    @Option(names = "--agent", paramLabel = "SOCKET", description = "With --qmp: the socket of the machine's guest agent, which freezes its file systems for the cut.")
    private Path agent;

    @Option(
            names = "--quiesce",
            paramLabel = "MODE",
            description = "required: no point unless the guest was frozen; preferred: else a point that is crash-consistent, and says why; "
                    + "off. Default: preferred where an agent is named, else off. With --libvirt, libvirt asks the agent.")
    private Quiescing.Mode mode;

    @Option(
            names = "--quiesce-limit",
            paramLabel = "TIME",
            defaultValue = "30s",
            converter = Argument.Period.class,
            description = "The guest is thawed after this time, whatever happens to the backup. Default: ${DEFAULT-VALUE}.")
    private Duration limit;

    @Option(names = "--pre", paramLabel = "COMMAND", description = "Run by the shell on this host before the guest is frozen and the disks are cut; when it fails, nothing is backed up.")
    private String pre;

    @Option(names = "--post", paramLabel = "COMMAND", description = "Run as soon as the disks are cut and the guest goes on, before they are read; also when that failed.")
    private String post;

    @Option(
            names = "--hook-limit",
            paramLabel = "TIME",
            defaultValue = "5m",
            converter = Argument.Period.class,
            description = "--pre and --post are killed after this time. Default: ${DEFAULT-VALUE}.")
    private Duration hookLimit;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    Optional<Path> agent() {
        return Optional.ofNullable(agent);
    }

    /** @param agents whether the agent of any machine is named */
    Quiescing quiescing(boolean agents) {
        if (mode != null && mode != Quiescing.Mode.OFF && !agents) {
            throw new ParameterException(spec.commandLine(), "--quiesce needs the guest's agent: name its socket by --agent, or agent= of a member.");
        }
        if (limit.isZero() || hookLimit.isZero()) {
            throw new ParameterException(spec.commandLine(), "--quiesce-limit and --hook-limit need some time: give at least 1s.");
        }
        return new Quiescing(
                mode != null ? mode : agents ? Quiescing.Mode.PREFERRED : Quiescing.Mode.OFF,
                limit,
                Optional.ofNullable(pre).map(command -> new HostCommand(command, hookLimit)),
                Optional.ofNullable(post).map(command -> new HostCommand(command, hookLimit)));
    }

    /**
     * libvirt speaks to the agent itself, if it is told to.
     *
     * @param agents whether agents of machines beside libvirt's are named
     */
    Quiescing quiescingByLibvirt(boolean agents) {
        return quiescing(agents || mode != null);
    }

    /** Whether anything here was asked for. */
    boolean isUsed() {
        return agent != null || mode != null || pre != null || post != null;
    }
}
