package io.afterimage.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told to differ between two trees, and what is not. */
class TreeDifferenceTest {

    private final MemoryTree before = new MemoryTree();
    private final MemoryTree after = new MemoryTree();
    private final List<String> problems = new ArrayList<>();

    private List<String> changes() throws IOException {
        List<String> changes = new ArrayList<>();
        new TreeDifference(
                        before, after, change -> changes.add(change.path() + " " + change.kind()), problem -> problems.add(problem.path().toString()))
                .run();
        return changes;
    }

    @Test
    void equalTreesDifferInNothing() throws IOException {
        before.file("/a", "x");
        after.file("/a", "x");
        assertEquals(List.of(), changes());
    }

    @Test
    void foldersComeAndGoWithAllThatIsInThem() throws IOException {
        before.folder("/gone");
        before.file("/gone/a", "a");
        after.folder("/new");
        after.folder("/new/inner");
        after.file("/new/inner/b", "b");
        assertEquals(List.of("/gone REMOVED", "/gone/a REMOVED", "/new ADDED", "/new/inner ADDED", "/new/inner/b ADDED"), changes());
    }

    @Test
    void contentOfTheSameSizeIsRead() throws IOException {
        before.file("/a", "one");
        after.file("/a", "two", MemoryTree.TIME.plusSeconds(1));
        before.file("/b", "one");
        after.file("/b", "one", MemoryTree.TIME.plusSeconds(1));
        assertEquals(List.of("/a CONTENT"), changes());
    }

    @Test
    void permissionsAloneAreMetadata() throws IOException {
        before.mode("/a", 0644, "x");
        after.mode("/a", 0600, "x");
        assertEquals(List.of("/a METADATA"), changes());
    }

    @Test
    void aFolderThatBecameALinkIsAnotherThing() throws IOException {
        before.folder("/a");
        before.file("/a/b", "x");
        after.link("/a", "/elsewhere");
        assertEquals(List.of("/a CONTENT", "/a/b REMOVED"), changes());
    }

    @Test
    void whatCannotBeReadIsTold() throws IOException {
        before.file("/a", "one");
        after.file("/a", "two", MemoryTree.TIME.plusSeconds(1));
        after.unreadable("/a");
        assertEquals(List.of(), changes());
        assertEquals(List.of("/a"), problems);
    }
}
