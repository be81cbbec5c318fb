package io.afterimage.command.output;

import io.afterimage.files.ExtractionReport;
import io.afterimage.settings.ByteSize;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * What was copied out of a guest, as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param bytes of content; holes are none
 * @param problems what is not there
 * @param losses what is there, but not as it was, or was left out by intention: how often
 */
public record ExtractionView(long folders, long files, long bytes, List<ProblemView> problems, Map<String, Integer> losses) {

    public static ExtractionView of(ExtractionReport report) {
        return new ExtractionView(
                report.folders(),
                report.files(),
                report.bytes(),
                report.problems().stream().map(ProblemView::of).toList(),
                report.losses());
    }

    /** Some lines. */
    public String text(Path target) {
        StringBuilder text = new StringBuilder("Copied " + files + " files in " + folders + " folders (" + ByteSize.format(bytes) + ") to "
                + target + ".");
        losses.forEach((what, times) -> text.append('\n').append(what).append(" (").append(times).append(" times)"));
        if (!problems.isEmpty()) {
            text.append("\nCould not be copied: ").append(problems.size()).append(", which are listed on standard error.");
        }
        return text.toString();
    }
}
