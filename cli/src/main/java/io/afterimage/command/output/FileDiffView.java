package io.afterimage.command.output;

import io.afterimage.files.FileChange;
import io.afterimage.files.FileProblem;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What differs in a volume between two points, as {@code --json} shows it. Fields may be added, never renamed or removed.
 *
 * @param volume its name
 * @param change {@code added} or {@code removed} as a whole, else {@code compared}
 * @param files what differs in it
 * @param problems what could not be compared
 */
public record FileDiffView(String volume, String change, List<Change> files, List<ProblemView> problems) {

    /**
     * A file that differs.
     *
     * @param change {@code added}, {@code removed}, {@code content} or {@code metadata}
     * @param before null if it was added
     * @param after null if it was removed
     */
    public record Change(String path, String change, FileView before, FileView after) {}

    public static FileDiffView of(String volume, Enum<?> change, List<FileChange> files, List<FileProblem> problems) {
        return new FileDiffView(
                volume,
                change.name().toLowerCase(Locale.ROOT),
                files.stream().map(FileDiffView::view).toList(),
                problems.stream().map(ProblemView::of).toList());
    }

    private static Change view(FileChange change) {
        return new Change(
                change.path().text(),
                change.kind().name().toLowerCase(Locale.ROOT),
                change.before().map(status -> FileView.of(change.path(), status)).orElse(null),
                change.after().map(status -> FileView.of(change.path(), status)).orElse(null));
    }

    /** A line a file; what differs is first, with a letter. */
    public static String text(List<FileDiffView> views) {
        StringBuilder text = new StringBuilder();
        for (FileDiffView view : views) {
            if (!view.change.equals("compared")) {
                text.append(view.change).append(" volume ").append(view.volume).append('\n');
            }
            for (Change change : view.files) {
                FileView either = Optional.ofNullable(change.after).orElse(change.before);
                text.append(String.format("%-8s  %s:%s%n", change.change, view.volume, either.place()));
            }
            view.problems.forEach(problem ->
                    text.append("unread    ").append(view.volume).append(':').append(problem.path()).append(": ").append(problem.reason()).append('\n'));
        }
        return text.isEmpty() ? "No file differs." : text.toString().stripTrailing();
    }
}
