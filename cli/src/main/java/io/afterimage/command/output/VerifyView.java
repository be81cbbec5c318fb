package io.afterimage.command.output;

import io.afterimage.block.ByteRange;
import io.afterimage.maintenance.Finding;
import io.afterimage.maintenance.VerifyReport;
import io.afterimage.settings.ByteSize;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a verification has found, as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param chunks that were read and verified, each once
 * @param bytes of those, as stored
 * @param healed packs of which damage was known that can be read again
 */
public record VerifyView(int points, int packs, long chunks, long bytes, int healed, List<Damaged> damaged) {

    /** Ranges shown to people of one disk; programs see all of them. */
    private static final int RANGES_SHOWN = 8;

    /** An object, what is wrong with it, and what it touches: nothing if all can be read in spite of it. */
    public record Damaged(String object, String problem, List<Touched> touched) {}

    /** Offset and length in bytes, ordered. */
    public record Touched(String machine, String point, String disk, List<ByteRange> ranges) {}

    public static VerifyView of(VerifyReport report) {
        return new VerifyView(
                report.points(),
                report.packs(),
                report.chunks(),
                report.bytes(),
                report.healed(),
                report.findings().stream().map(VerifyView::damaged).toList());
    }

    private static Damaged damaged(Finding finding) {
        return new Damaged(
                finding.object().value(),
                finding.problem(),
                finding.touched().stream()
                        .map(each -> new Touched(each.machine().text(), each.point().hex(), each.disk().text(), each.ranges()))
                        .toList());
    }

    /** What was looked at, and a paragraph for each damaged object. */
    public static String text(VerifyReport report) {
        StringBuilder text = new StringBuilder("Verified " + report.points() + " points: " + report.packs() + " packs, " + report.chunks() + " chunks read, "
                + ByteSize.format(report.bytes()) + ". ");
        if (report.healed() > 0) {
            text.append("Of ").append(report.healed()).append(" packs found damaged before, all that points need can be read again. ");
        }
        if (report.findings().isEmpty()) {
            return text.append("Nothing is damaged.").toString();
        }
        text.append(report.findings().size()).append(report.findings().size() == 1 ? " object is damaged:" : " objects are damaged:");
        for (Finding finding : report.findings()) {
            text.append('\n').append(finding.object()).append(": ").append(finding.problem());
            for (Finding.Touched each : finding.touched()) {
                text.append("\n  ").append(each.machine()).append('/').append(each.disk()).append('@').append(each.point()).append(": ").append(ranges(each.ranges()));
            }
        }
        return text.append("\nThe next backup of these machines stores again what their disks still hold; then verify again.").toString();
    }

    private static String ranges(List<ByteRange> ranges) {
        String shown = ranges.stream()
                .limit(RANGES_SHOWN)
                .map(range -> range.offset() + "-" + (range.end() - 1))
                .collect(Collectors.joining(", "));
        return "bytes " + shown + (ranges.size() > RANGES_SHOWN ? " and " + (ranges.size() - RANGES_SHOWN) + " more ranges" : "");
    }
}
