package io.afterimage.capture.qemu;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The names of all nodes, jobs and exports that one cut makes in QEMU. They carry the first digits of the point's id, since a node
 * name has room for 31 characters only; the scratch folder's name carries all of it.
 *
 * @param shortId 12 lower-case hexadecimal digits
 */
record CutNames(String shortId) {

    private static final int SHORT = 12;
    private static final Pattern NAME = Pattern.compile("afterimage-([0-9a-f]{" + SHORT + "})-[a-z]+[0-9]+");

    static CutNames of(String pointId) {
        return new CutNames(pointId.substring(0, SHORT));
    }

    /** The cut that a node, job or export of this name belongs to; empty when it is not Afterimage's. */
    static Optional<CutNames> parse(String name) {
        Matcher matcher = NAME.matcher(name);
        return matcher.matches() ? Optional.of(new CutNames(matcher.group(1))) : Optional.empty();
    }

    boolean own(String name) {
        return parse(name).filter(this::equals).isPresent();
    }

    /** The node that shows the disk as it was at the cut: scratch in front, the live disk behind. */
    String view(int disk) {
        return name("view", disk);
    }

    /** The protocol node of the scratch file. */
    String file(int disk) {
        return name("file", disk);
    }

    /** The copy-before-write filter that the backup job puts above the disk's node. */
    String filter(int disk) {
        return name("cbw", disk);
    }

    String backupJob(int disk) {
        return name("job", disk);
    }

    String createJob(int disk) {
        return name("new", disk);
    }

    String export(int disk) {
        return name("exp", disk);
    }

    /** What a pushing job reads: the cut, without being in the way of what writes the scratch. */
    String access(int disk) {
        return name("acc", disk);
    }

    /** The NBD node by which QEMU writes to us. */
    String target(int disk) {
        return name("tgt", disk);
    }

    String pushJob(int disk) {
        return name("push", disk);
    }

    /** The filter of the pushing job, which no guest write passes. */
    String pushFilter(int disk) {
        return name("pcbw", disk);
    }

    private String name(String kind, int disk) {
        return "afterimage-" + shortId + "-" + kind + disk;
    }
}
