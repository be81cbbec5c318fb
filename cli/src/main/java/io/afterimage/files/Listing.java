package io.afterimage.files;

import java.util.List;

/**
 * A folder's content.
 *
 * @param entries by name
 * @param problems with what else is in it
 */
public record Listing(List<FileEntry> entries, List<FileProblem> problems) {

    public Listing {
        entries = List.copyOf(entries);
        problems = List.copyOf(problems);
    }
}
