package io.afterimage.app.backup;

import io.afterimage.app.Failures;
import io.afterimage.capture.GuestLoad;
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
import java.util.Optional;
import java.util.Set;

/**
 * Points of several running machines that show one instant: all guests are frozen, all disks cut, all guests thawed, and then the
 * disks are read, machine by machine. The points become visible one right after the other, once all are stored: a failure before
 * that leaves none of them.
 */
public final class BackUpGroup {

    private final BackUpMachine machines;
    private final BackUpDomain domains;

    public BackUpGroup(BackUpMachine machines, BackUpDomain domains) {
        this.machines = machines;
        this.domains = domains;
    }

    /**
     * What is asked of machines of either kind, but for their names and places, which are the members'.
     *
     * @param byLibvirt empty where nobody has said which libvirt
     */
    public record Request(BackUpMachine.Request overQmp, Optional<BackUpDomain.Request> byLibvirt) {}

    /** Makes the points and returns them, in the order of the members. */
    public List<Point> run(MachineName name, List<GroupMember> members, Request like, Quiescing quiescing, Progress progress)
            throws IOException {
        requireDistinct(members);
        List<MachineBackup> backups = new ArrayList<>();
        try (Closeable _ = () -> closeAll(backups)) {
            for (GroupMember member : members) {
                backups.add(prepare(member, like));
            }
            CutTogether cuts = new CutTogether(backups, quiescing);
            cuts.run();
            PointGroup group = new PointGroup(
                    name.text(),
                    backups.getFirst().id().hex(),
                    members.stream().map(member -> member.machine().text()).toList(),
                    cuts.spread());
            for (MachineBackup backup : backups) {
                backup.capturedIn(group);
                backup.open();
            }
            // They share the host, whichever is read.
            List<GuestLoad.Meter> guests = backups.stream().<GuestLoad.Meter>map(backup -> backup::guestLoad).toList();
            for (MachineBackup backup : backups) {
                backup.read(guests, progress);
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

    private MachineBackup prepare(GroupMember member, Request like) throws IOException {
        return switch (member.place()) {
            case GroupMember.Monitor at -> machines.prepare(like.overQmp().of(member.machine(), at.socket()), at.agent());
            case GroupMember.Domain at -> domains.prepare(like.byLibvirt()
                    .orElseThrow(() -> new IllegalArgumentException("The member '" + member.machine() + "' is a domain of libvirt's: add --libvirt."))
                    .of(member.machine(), at.name()));
        };
    }

    private static void requireDistinct(List<GroupMember> members) {
        Set<Object> seen = new HashSet<>();
        for (GroupMember member : members) {
            if (!seen.add(member.machine()) || !seen.add(member.place())) {
                throw new IllegalArgumentException(
                        "The machine '" + member.machine() + "', or its QMP socket or domain, is in the group twice: name each once.");
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
