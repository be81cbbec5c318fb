package io.afterimage.fuse.tree;

import java.time.Instant;

/**
 * What {@code stat} tells of a node.
 *
 * @param inode never 0; the same in every mount of the repository
 * @param kind what it is
 * @param size in bytes; of a link, that of its target
 * @param allocated bytes that are not holes
 * @param time when it was last changed
 */
public record Attributes(long inode, Kind kind, long size, long allocated, Instant time) {

    /** The kinds of nodes. */
    public enum Kind {
        FOLDER,
        FILE,
        LINK
    }

    static Attributes folder(long inode, Instant time) {
        return new Attributes(inode, Kind.FOLDER, 0, 0, time);
    }

    static Attributes file(long inode, long size, long allocated, Instant time) {
        return new Attributes(inode, Kind.FILE, size, allocated, time);
    }

    static Attributes link(long inode, String target, Instant time) {
        return new Attributes(inode, Kind.LINK, target.length(), 0, time);
    }
}
