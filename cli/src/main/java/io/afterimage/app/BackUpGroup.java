package io.afterimage.app;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointGroup;
import io.afterimage.manifest.MachineName;
import io.afterimage.settings.GroupMember;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Points of several running machines that show one instant: all guests are frozen, all disks cut, all guests thawed, and then the
 * disks are read, machine by machine. The points become visible one right after the other, once all are stored: a failure before
 * that leaves none of them.
 */
public final class BackUpGroup {

    private final BackUpMachine machines;

    public BackUpGroup(BackUpMachine machines) {
        this.machines = machines;
    }

    /**
     * Makes the points and returns them, in the order of the members.
     *
     * @param like what is asked of each machine; its name and socket are the members'
     */
    public List<Point> run(MachineName name, List<GroupMember> members, BackUpMachine.Request like, Quiescing quiescing, Progress progress)
            throws IOException {
        requireDistinct(members);
        List<MachineBackup> backups = new ArrayList<>();
        try (Closeable _ = () -> closeAll(backups)) {
            for (GroupMember member : members) {
                backups.add(machines.prepare(like.of(member.machine(), member.qmp()), member.agent()));
            }
            long spread = new CutTogether(backups, quiescing).run();
            PointGroup group = new PointGroup(
                    name.text(),
                    backups.getFirst().id().hex(),
                    members.stream().map(member -> member.machine().text()).toList(),
                    spread);
            for (MachineBackup backup : backups) {
                backup.capturedIn(group);
                backup.open();
            }
            for (MachineBackup backup : backups) {
                backup.read(progress);
            }
            for (MachineBackup backup : backups) {
                backup.requireIntact();
            }
            List<Point> points = new ArrayList<>();
            for (MachineBackup backup : backups) {
                points.add(backup.commit());
            }
            return points;
        }
    }

    private static void requireDistinct(List<GroupMember> members) {
        Set<Object> seen = new HashSet<>();
        for (GroupMember member : members) {
            if (!seen.add(member.machine()) || !seen.add(member.qmp().toAbsolutePath().normalize())) {
                throw new IllegalArgumentException("The machine '" + member.machine() + "', or its QMP socket, is in the group twice: name each once.");
            }
        }
        if (members.size() > PointGroup.MOST_MEMBERS) {
            throw new IllegalArgumentException("A group has at most " + PointGroup.MOST_MEMBERS + " members: make two of it.");
        }
    }

    /** Each, whatever becomes of the others: what is not taken down weighs on a guest. */
    private static void closeAll(List<MachineBackup> backups) throws IOException {
        Failures failures = new Failures();
        backups.reversed().forEach(backup -> failures.attempt(backup::close));
        failures.throwFirst();
    }
}
