package io.afterimage.files;

import io.afterimage.posix.EscapedText;
import io.afterimage.posix.FileName;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A file's place in its file system, from the root on. Ordered like a walk that visits a folder before what is in it, by names. */
public record FilePath(List<FileName> names) implements Comparable<FilePath> {

    public static final FilePath ROOT = new FilePath(List.of());

    public FilePath {
        names = List.copyOf(names);
    }

    /**
     * Reads what {@link #toString} writes. Slashes in front, at the end and beside each other add nothing.
     *
     * @throws IllegalArgumentException for {@code ..}, which the guest's links could lead anywhere, and for unknown escapes
     */
    public static FilePath parse(String text) {
        List<FileName> names = new ArrayList<>();
        for (String part : text.split("/", -1)) {
            if (!part.isEmpty() && !part.equals(".")) {
                names.add(FileName.of(EscapedText.parse(part)));
            }
        }
        return new FilePath(names);
    }

    public FilePath child(FileName name) {
        List<FileName> longer = new ArrayList<>(names);
        longer.add(name);
        return new FilePath(longer);
    }

    public boolean isRoot() {
        return names.isEmpty();
    }

    /** The folder it is in. The root has none. */
    public FilePath parent() {
        return new FilePath(names.subList(0, names.size() - 1));
    }

    /** Its name in that folder. The root has none. */
    public FileName name() {
        return names.getLast();
    }

    /** As a kernel takes it: absolute, without NUL. */
    public byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (FileName name : names) {
            bytes.write('/');
            bytes.writeBytes(name.bytes());
        }
        return isRoot() ? new byte[] {'/'} : bytes.toByteArray();
    }

    /** Whether all of it is text, in UTF-8. */
    public boolean isText() {
        return names.stream().allMatch(FileName::isText);
    }

    /** As it is, for programs: bytes that are no UTF-8 become U+FFFD, see {@link #isText}. */
    public String text() {
        return new String(bytes(), StandardCharsets.UTF_8);
    }

    @Override
    public int compareTo(FilePath other) {
        int common = Math.min(names.size(), other.names.size());
        for (int i = 0; i < common; i++) {
            int order = names.get(i).compareTo(other.names.get(i));
            if (order != 0) {
                return order;
            }
        }
        return names.size() - other.names.size();
    }

    /** As it can be shown, and typed: see {@link EscapedText}. */
    @Override
    public String toString() {
        return EscapedText.of(bytes());
    }
}
