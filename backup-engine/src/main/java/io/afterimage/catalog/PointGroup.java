package io.afterimage.catalog;

import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import java.util.List;

/**
 * The group that a point was captured in: points of several machines that show one instant.
 *
 * @param name the user's name for these machines together; as a machine's
 * @param id of this capture of them: the point id of its first member. All points of the capture have the same, and no others
 * @param members the machines of the capture, in order. Their points become visible one after the other, so a killed backup may leave
 *     fewer; each of them is whole
 * @param spreadNanos from the moment before the first disk was cut to the moment after the last one was
 */
public record PointGroup(String name, String id, List<String> members, long spreadNanos) {

    /** No sensible group has more, and each of them is in every descriptor. */
    public static final int MOST_MEMBERS = 1000;

    public PointGroup {
        new MachineName(name);
        new PointId(id);
        members = List.copyOf(members);
        members.forEach(MachineName::new);
        if (members.isEmpty() || members.size() > MOST_MEMBERS || spreadNanos < 0) {
            throw new IllegalArgumentException("not a group: " + members.size() + " members, spread " + spreadNanos + " ns");
        }
    }
}
