package io.afterimage.command;

import io.afterimage.manifest.MachineName;
import io.afterimage.settings.GroupMember;
import java.util.List;
import java.util.stream.Stream;
import picocli.CommandLine.Option;

/** Machines that are backed up as one. */
final class GroupOptions {

    @Option(
            names = "--group",
            paramLabel = "NAME",
            converter = Argument.Machine.class,
            description = "The name of a group of machines, whose disks are cut at one instant, all their guests frozen. With --libvirt each MACHINE is one of it.")
    private MachineName name;

    @Option(
            names = "--member",
            paramLabel = "MACHINE=SOCKET[,agent=SOCKET]",
            converter = Argument.Member.class,
            description = "With --group: a machine of it, its QMP socket, and the socket of its guest agent; or, with --libvirt, MACHINE=domain:NAME. Repeated.")
    private List<GroupMember> members = List.of();

    boolean isUsed() {
        return name != null;
    }

    /** Whether there are members of no group. */
    boolean lacksName() {
        return name == null && !members.isEmpty();
    }

    MachineName name() {
        return name;
    }

    /** Those that were named with a place, and those that were not, which are libvirt's. */
    List<GroupMember> members(List<MachineName> domains) {
        return Stream.concat(domains.stream().map(GroupMember::domain), members.stream()).toList();
    }
}
