package io.afterimage.files;

import io.afterimage.posix.Attributes;
import io.afterimage.posix.FileKind;
import java.time.Instant;
import java.util.Optional;

/**
 * What a file system says of a file.
 *
 * @param kind what it is
 * @param device tells file systems apart that are seen at once, such as the subvolumes of Btrfs
 * @param inode tells files of one of them apart
 * @param links how many names it has
 * @param node the device that a device node stands for
 * @param size in bytes
 * @param allocated bytes that are taken for it; fewer than its size if it has holes
 * @param changed when it last changed in any way
 * @param attributes permissions and the like
 * @param target what a symbolic link leads to, in the form of {@link io.afterimage.posix.EscapedText}; empty for everything else
 */
public record FileStatus(
        FileKind kind,
        long device,
        long inode,
        long links,
        long node,
        long size,
        long allocated,
        Instant changed,
        Attributes attributes,
        Optional<String> target) {

    /** Whether parts of its content are not stored, being zero. */
    public boolean isSparse() {
        return kind == FileKind.FILE && allocated < size;
    }
}
