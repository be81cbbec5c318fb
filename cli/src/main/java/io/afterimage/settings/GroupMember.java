package io.afterimage.settings;

import io.afterimage.manifest.MachineName;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A machine that is backed up together with others: {@code MACHINE=SOCKET[,agent=SOCKET]}.
 *
 * @param qmp its QMP socket
 * @param agent the socket of its guest agent
 */
public record GroupMember(MachineName machine, Path qmp, Optional<Path> agent) {

    private static final String AGENT = ",agent=";

    public static GroupMember parse(String text) {
        int equals = text.indexOf('=');
        int agent = text.indexOf(AGENT);
        String qmp = text.substring(equals + 1, agent < 0 ? text.length() : agent);
        if (equals < 1 || (agent >= 0 && agent < equals) || qmp.isEmpty() || text.endsWith(AGENT)) {
            throw new IllegalArgumentException("'" + text + "' is not a member of a group: write MACHINE=SOCKET or MACHINE=SOCKET,agent=SOCKET.");
        }
        return new GroupMember(
                new MachineName(text.substring(0, equals)),
                Path.of(qmp),
                agent < 0 ? Optional.empty() : Optional.of(Path.of(text.substring(agent + AGENT.length()))));
    }
}
