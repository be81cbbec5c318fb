package io.afterimage.command;

import io.afterimage.manifest.MachineName;
import io.afterimage.settings.GroupMember;
import java.util.List;
import picocli.CommandLine.Option;

/** Machines that are backed up as one. */
final class GroupOptions {

    @Option(
            names = "--group",
            paramLabel = "NAME",
            required = true,
            converter = Argument.Machine.class,
            description = "Instead of MACHINE: the name of a group of machines, whose disks are cut at one instant, all their guests frozen.")
    MachineName name;

    @Option(
            names = "--member",
            paramLabel = "MACHINE=SOCKET[,agent=SOCKET]",
            required = true,
            converter = Argument.Member.class,
            description = "With --group: a machine of it, its QMP socket, and the socket of its guest agent. Repeated.")
    List<GroupMember> members;
}
