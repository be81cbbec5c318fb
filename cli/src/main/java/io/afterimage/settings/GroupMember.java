package io.afterimage.settings;

import io.afterimage.manifest.MachineName;
import java.nio.file.Path;
import java.util.Optional;

/** A machine that is backed up together with others: {@code MACHINE=SOCKET[,agent=SOCKET]}, or {@code MACHINE=domain:NAME}. */
public record GroupMember(MachineName machine, Place place) {

    private static final String AGENT = ",agent=";
    private static final String DOMAIN = "domain:";

    /** Where it runs. */
    public sealed interface Place {}

    /**
     * A QEMU.
     *
     * @param socket its QMP socket
     * @param agent the socket of its guest agent
     */
    public record Monitor(Path socket, Optional<Path> agent) implements Place {
        public Monitor {
            socket = socket.toAbsolutePath().normalize();
        }
    }

    /**
     * A domain of libvirt's.
     *
     * @param name or UUID
     */
    public record Domain(String name) implements Place {}

    /** A domain that is called like the machine. */
    public static GroupMember domain(MachineName machine) {
        return new GroupMember(machine, new Domain(machine.text()));
    }

    /** Whether an agent is known to be asked. */
    public boolean hasAgent() {
        return place instanceof Monitor(Path _, Optional<Path> agent) && agent.isPresent();
    }

    public boolean isDomain() {
        return place instanceof Domain;
    }

    public static GroupMember parse(String text) {
        int equals = text.indexOf('=');
        String where = text.substring(equals + 1);
        int agent = where.indexOf(AGENT);
        String place = agent < 0 ? where : where.substring(0, agent);
        boolean isDomain = place.startsWith(DOMAIN);
        if (equals < 1 || place.isEmpty() || text.endsWith(AGENT) || place.equals(DOMAIN) || (isDomain && agent >= 0)) {
            throw new IllegalArgumentException("'" + text
                    + "' is not a member of a group: write MACHINE=SOCKET, MACHINE=SOCKET,agent=SOCKET, or with --libvirt MACHINE=domain:NAME.");
        }
        return new GroupMember(new MachineName(text.substring(0, equals)), isDomain
                ? new Domain(place.substring(DOMAIN.length()))
                : new Monitor(Path.of(place), agent < 0 ? Optional.empty() : Optional.of(Path.of(where.substring(agent + AGENT.length())))));
    }
}
