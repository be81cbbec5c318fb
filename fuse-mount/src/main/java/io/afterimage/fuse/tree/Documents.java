package io.afterimage.fuse.tree;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Documents with names such as {@code qmp/query-block.json} as a folder. The names come from a store and may be anything: what cannot be a file's name
 * is written with per cent signs, what is too long is cut, and what would be there twice gets a number.
 */
final class Documents implements Node.Folder {

    private static final int DEEPEST = 16;
    private static final int LONGEST = 200;

    private final long inode;
    private final Instant time;
    private final SortedMap<String, Node> children = new TreeMap<>();

    private Documents(long inode, Instant time) {
        this.inode = inode;
        this.time = time;
    }

    static Documents of(long inode, Instant time, Map<String, String> documents) {
        Documents folder = new Documents(inode, time);
        documents.forEach((name, content) -> folder.put(List.of(name.split("/", DEEPEST)), content));
        return folder;
    }

    private void put(List<String> path, String content) {
        String name = fileName(path.getFirst());
        if (path.size() > 1) {
            if (!(children.get(name) instanceof Documents)) {
                name = unused(name);
                children.put(name, new Documents(Inodes.child(inode, name), time));
            }
            ((Documents) children.get(name)).put(path.subList(1, path.size()), content);
        } else {
            String free = unused(name);
            children.put(free, new TextFile(Inodes.child(inode, free), time, content));
        }
    }

    private String unused(String name) {
        String free = name;
        for (int number = 2; children.containsKey(free); number++) {
            free = name + "~" + number;
        }
        return free;
    }

    private static String fileName(String segment) {
        boolean special = segment.isEmpty() || segment.equals(".") || segment.equals("..");
        StringBuilder name = new StringBuilder(special ? "%" : "");
        for (int index = 0; index < segment.length() && name.length() < LONGEST; index++) {
            char letter = segment.charAt(index);
            if (letter > ' ' && letter < 0x7F && letter != '/') {
                name.append(letter);
            } else {
                name.append('%').append(String.format("%02X", (int) letter));
            }
        }
        return name.toString();
    }

    @Override
    public Attributes attributes() {
        return Attributes.folder(inode, time);
    }

    @Override
    public List<Entry> entries() {
        return children.entrySet().stream()
                .map(child -> new Entry(
                        child.getKey(),
                        Inodes.child(inode, child.getKey()),
                        child.getValue() instanceof Documents ? Attributes.Kind.FOLDER : Attributes.Kind.FILE))
                .toList();
    }

    @Override
    public Optional<Node> child(String name) {
        return Optional.ofNullable(children.get(name));
    }
}
