package io.afterimage.files;

import io.afterimage.posix.Attributes;
import io.afterimage.posix.FileKind;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A tree in memory, which can also be what no honest file system is: two things of one name, a folder in itself, unreadable files. */
final class MemoryTree implements FileTree {

    static final Instant TIME = Instant.parse("2021-03-04T05:06:07.123456789Z");

    private final Map<FilePath, List<FileEntry>> folders = new HashMap<>();
    private final Map<FilePath, byte[]> contents = new HashMap<>();
    private final Set<FilePath> unreadable = new HashSet<>();
    private long inodes = 2;

    MemoryTree() {
        folders.put(FilePath.ROOT, new ArrayList<>());
    }

    private static FileStatus status(FileKind kind, long inode, long size, long allocated, Instant changed, int mode, String target) {
        return new FileStatus(kind, 1, inode, 1, 0, size, allocated, changed,
                new Attributes(mode, 0, 0, TIME, TIME, List.of()), Optional.ofNullable(target));
    }

    void put(String path, FileStatus status) {
        FilePath place = FilePath.parse(path);
        folders.get(place.parent()).add(new FileEntry(place.name(), status));
    }

    void folder(String path) {
        folder(path, inodes++);
    }

    void folder(String path, long inode) {
        put(path, status(FileKind.FOLDER, inode, 0, 0, TIME, 0750, null));
        folders.putIfAbsent(FilePath.parse(path), new ArrayList<>());
    }

    void file(String path, String content) {
        file(path, content, TIME);
    }

    void file(String path, String content, Instant changed) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        put(path, status(FileKind.FILE, 1000 + contents.size(), bytes.length, bytes.length, changed, 0640, null));
        contents.put(FilePath.parse(path), bytes);
    }

    void mode(String path, int mode, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        put(path, status(FileKind.FILE, 1000 + contents.size(), bytes.length, bytes.length, TIME, mode, null));
        contents.put(FilePath.parse(path), bytes);
    }

    /** A file of so many bytes, of which those at the beginning are there and the others are zero. */
    void sparse(String path, String begin, int size) {
        byte[] bytes = Arrays.copyOf(begin.getBytes(StandardCharsets.UTF_8), size);
        put(path, status(FileKind.FILE, 1000 + contents.size(), size, 4096, TIME, 0640, null));
        contents.put(FilePath.parse(path), bytes);
    }

    void link(String path, String target) {
        put(path, status(FileKind.LINK, inodes++, target.length(), 0, TIME, 0777, target));
    }

    void device(String path) {
        put(path, status(FileKind.BLOCK_DEVICE, inodes++, 0, 0, TIME, 0600, null));
    }

    void unreadable(String path) {
        unreadable.add(FilePath.parse(path));
    }

    @Override
    public FileStatus status(FilePath path) throws UnreadableFileException {
        if (path.isRoot()) {
            return status(FileKind.FOLDER, 1, 0, 0, TIME, 0755, null);
        }
        return list(path.parent()).entries().stream()
                .filter(entry -> entry.name().equals(path.name()))
                .map(FileEntry::status)
                .findFirst()
                .orElseThrow(() -> new UnreadableFileException(path, "there is nothing of that name", true));
    }

    @Override
    public Listing list(FilePath folder) throws UnreadableFileException {
        readable(folder);
        // A folder in itself has its own content.
        FilePath known = folder;
        while (!folders.containsKey(known)) {
            known = known.parent();
        }
        return new Listing(folders.get(known), List.of());
    }

    @Override
    public byte[] read(FilePath file, long offset, int length) throws UnreadableFileException {
        readable(file);
        byte[] all = contents.get(file);
        return Arrays.copyOfRange(all, (int) offset, (int) Math.min(all.length, offset + length));
    }

    private void readable(FilePath path) throws UnreadableFileException {
        if (unreadable.contains(path)) {
            throw new UnreadableFileException(path, "Input/output error", false);
        }
    }
}
