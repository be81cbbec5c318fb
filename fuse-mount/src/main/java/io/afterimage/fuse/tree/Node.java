package io.afterimage.fuse.tree;

import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/** Something in the tree. Immutable or thread-safe. An {@link IOException} means that the store could not be asked, or gave what is damaged. */
public sealed interface Node {

    /** What the names of all extended attributes begin with. */
    String EXTENDED_ATTRIBUTES = "user.afterimage.";

    /** What {@code stat} tells. */
    Attributes attributes() throws IOException;

    /** The names of its extended attributes, known without a look at the store. */
    default List<String> extendedAttributeNames() {
        return List.of();
    }

    /** Its extended attributes by name; those that do not apply are left out. */
    default SortedMap<String, String> extendedAttributes() throws IOException {
        return new TreeMap<>();
    }

    /** A folder. */
    non-sealed interface Folder extends Node {

        /** What is in it, in an order that stays. */
        Iterable<Entry> entries() throws IOException;

        /** What has that name in it. */
        Optional<Node> child(String name) throws IOException;
    }

    /** A file. */
    non-sealed interface File extends Node {

        /** Opens it; whatever happens to the point, it can be read until it is closed. */
        OpenFile open() throws IOException;
    }

    /** A symbolic link; its target is relative. */
    record Link(Attributes attributes, String target) implements Node {}

    /**
     * A line of a folder's listing.
     *
     * @param name without a slash
     * @param inode that of the node
     * @param kind that of the node
     */
    record Entry(String name, long inode, Attributes.Kind kind) {}
}
