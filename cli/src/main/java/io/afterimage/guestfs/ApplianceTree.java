package io.afterimage.guestfs;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.afterimage.block.ByteRange;
import io.afterimage.files.FileEntry;
import io.afterimage.files.FilePath;
import io.afterimage.files.FileProblem;
import io.afterimage.files.FileStatus;
import io.afterimage.files.FileTree;
import io.afterimage.files.Listing;
import io.afterimage.files.UnreadableFileException;
import io.afterimage.posix.Attributes;
import io.afterimage.posix.EscapedText;
import io.afterimage.posix.ExtendedAttribute;
import io.afterimage.posix.FileKind;
import io.afterimage.posix.FileName;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What an appliance has mounted. A folder is four requests, however many files are in it, and a file is one for each of its parts:
 * {@code pread}, since {@code download} waits for udev each time (0.15 s under emulation).
 */
final class ApplianceTree implements FileTree {

    /** {@code struct guestfs_statns}: as many numbers of 64 bits. */
    private static final int STATUS_FIELDS = 22;

    /** {@code struct guestfs_dirent}: a number, a character, the name. */
    private static final long ENTRY_SIZE = 24;

    /** {@code struct guestfs_xattr}: the name, the length, the value. */
    private static final long ATTRIBUTE_SIZE = 24;

    /** ACLs as XFS stores them; it tells of them as {@code system.posix_acl_access} and {@code _default} as well, as all do. */
    private static final Set<String> TOLD_TWICE = Set.of("trusted.SGI_ACL_FILE", "trusted.SGI_ACL_DEFAULT");

    private static final int PERMISSIONS = 07777;
    private static final int SECTOR = 512;

    private final Appliance appliance;
    private final Volume volume;
    private final HoleFinder holes;

    ApplianceTree(Appliance appliance, Volume volume) {
        this.appliance = appliance;
        this.volume = volume;
        holes = new HoleFinder(appliance, volume);
    }

    @Override
    public FileStatus status(FilePath path) throws IOException {
        byte[] folder = path.isRoot() ? path.bytes() : path.parent().bytes();
        byte[] name = path.isRoot() ? new byte[] {'.'} : path.name().bytes();
        List<FileProblem> problems = new ArrayList<>();
        try {
            return statuses(path, folder, List.of(name), problems).getFirst()
                    .orElseThrow(() -> new UnreadableFileException(path, "there is nothing of that name", true));
        } catch (GuestFsException e) {
            throw unreadable(path, e);
        }
    }

    @Override
    public Listing list(FilePath path) throws IOException {
        try {
            List<FileProblem> problems = new ArrayList<>();
            List<byte[]> names = names(path);
            List<Optional<FileStatus>> statuses = statuses(path, path.bytes(), names, problems);
            List<FileEntry> entries = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                String shown = EscapedText.of(names.get(i));
                try {
                    FileName name = FileName.of(names.get(i));
                    statuses.get(i).ifPresentOrElse(
                            status -> entries.add(new FileEntry(name, status)),
                            () -> problems.add(new FileProblem(path.child(name), "the file system does not say what it is")));
                } catch (IllegalArgumentException _) {
                    problems.add(new FileProblem(path, "it holds '" + shown + "', which is no name of a file"));
                }
            }
            entries.sort(Comparator.comparing(FileEntry::name));
            return new Listing(entries, problems);
        } catch (GuestFsException e) {
            throw unreadable(path, e);
        }
    }

    private List<byte[]> names(FilePath path) throws GuestFsException, GuestException {
        List<byte[]> names = ask(path, guest -> guest.structures(
                "dirent", ENTRY_SIZE, entry -> GuestFs.string(entry.get(ADDRESS, 16)), "readdir", path.bytes()));
        return names.stream().filter(name -> !isDots(name)).toList();
    }

    private static boolean isDots(byte[] name) {
        return name.length <= 2 && new String(name, StandardCharsets.ISO_8859_1).matches("\\.{1,2}");
    }

    /** Empty for a name of which the file system says nothing. */
    private List<Optional<FileStatus>> statuses(FilePath path, byte[] folder, List<byte[]> names, List<FileProblem> problems)
            throws GuestFsException, GuestException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = GuestFs.list(arena, names);
            List<long[]> numbers = ask(path, guest -> guest.structures(
                    "statns", STATUS_FIELDS * JAVA_LONG.byteSize(), status -> status.toArray(JAVA_LONG), "lstatnslist", folder, list));
            List<List<ExtendedAttribute>> attributes = attributes(path, folder, names, list, problems);
            Map<Integer, String> targets = targets(path, folder, names, numbers);
            List<Optional<FileStatus>> statuses = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                statuses.add(status(numbers.get(i), attributes.get(i), Optional.ofNullable(targets.get(i))));
            }
            return statuses;
        }
    }

    private static Optional<FileStatus> status(long[] numbers, List<ExtendedAttribute> attributes, Optional<String> target) {
        // device, inode, mode, links, user, group, node, size, block size, blocks, then seconds and nanoseconds of each time.
        Optional<FileKind> kind = numbers[1] == -1 ? Optional.empty() : FileKind.ofMode(numbers[2]);
        boolean targetLost = kind.equals(Optional.of(FileKind.LINK)) && target.isEmpty();
        return kind.filter(_ -> !targetLost).map(known -> new FileStatus(
                known, numbers[0], numbers[1], numbers[3], numbers[6], Math.max(0, numbers[7]), Math.max(0, numbers[9]) * SECTOR,
                instant(numbers[14], numbers[15]),
                new Attributes((int) numbers[2] & PERMISSIONS, (int) numbers[4], (int) numbers[5],
                        instant(numbers[10], numbers[11]), instant(numbers[12], numbers[13]), attributes),
                target));
    }

    private static Instant instant(long seconds, long nanos) {
        return Instant.ofEpochSecond(
                Math.clamp(seconds, Instant.MIN.getEpochSecond(), Instant.MAX.getEpochSecond()), Math.clamp(nanos, 0, 999_999_999));
    }

    private Map<Integer, String> targets(FilePath path, byte[] folder, List<byte[]> names, List<long[]> numbers)
            throws GuestFsException, GuestException {
        List<Integer> links = new ArrayList<>();
        for (int i = 0; i < names.size(); i++) {
            if (numbers.get(i)[1] != -1 && FileKind.ofMode(numbers.get(i)[2]).equals(Optional.of(FileKind.LINK))) {
                links.add(i);
            }
        }
        Map<Integer, String> targets = new HashMap<>();
        if (!links.isEmpty()) {
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment list = GuestFs.list(arena, links.stream().map(names::get).toList());
                List<byte[]> found = ask(path, guest -> guest.strings("readlinklist", folder, list));
                for (int i = 0; i < links.size(); i++) {
                    if (found.get(i).length > 0) {
                        targets.put(links.get(i), EscapedText.of(found.get(i)));
                    }
                }
            }
        }
        return targets;
    }

    /** All of a folder's at once; name by name if that is too much for one answer. */
    private List<List<ExtendedAttribute>> attributes(
            FilePath path, byte[] folder, List<byte[]> names, MemorySegment list, List<FileProblem> problems)
            throws GuestException {
        try {
            return grouped(ask(path, guest -> attributes(guest, "lxattrlist", folder, list)), names.size());
        } catch (GuestFsException _) {
            List<List<ExtendedAttribute>> each = new ArrayList<>();
            for (byte[] name : names) {
                try (Arena arena = Arena.ofConfined()) {
                    MemorySegment one = GuestFs.list(arena, List.of(name));
                    each.add(grouped(ask(path, guest -> attributes(guest, "lxattrlist", folder, one)), 1).getFirst());
                } catch (GuestFsException e) {
                    problems.add(new FileProblem(path, "extended attributes of " + EscapedText.of(name) + ": " + e.reason()));
                    each.add(List.of());
                }
            }
            return each;
        }
    }

    private static List<ExtendedAttribute> attributes(GuestFs guest, String function, Object... arguments) throws GuestFsException {
        return guest.structures(
                "xattr",
                ATTRIBUTE_SIZE,
                xattr -> new ExtendedAttribute(
                        GuestFs.string(xattr.get(ADDRESS, 0)), bytes(xattr.get(ADDRESS, 16), xattr.get(JAVA_INT, 8))),
                function,
                arguments);
    }

    @SuppressWarnings("restricted") // The library has told the length.
    private static byte[] bytes(MemorySegment memory, int length) {
        return memory.reinterpret(length).toArray(JAVA_BYTE);
    }

    /** For each file, an attribute without a name, whose value is the number of those that follow. */
    private static List<List<ExtendedAttribute>> grouped(List<ExtendedAttribute> flat, int files) throws GuestFsException {
        List<List<ExtendedAttribute>> groups = new ArrayList<>();
        int at = 0;
        while (groups.size() < files && at < flat.size()) {
            // Some versions count the NUL behind it to the value.
            String number = new String(flat.get(at).value(), StandardCharsets.US_ASCII).replace("\0", "");
            int count = number.matches("[0-9]{1,6}") && flat.get(at).name().length == 0 ? Integer.parseInt(number) : flat.size();
            if (count > flat.size() - at - 1) {
                throw new GuestFsException("lxattrlist: the answer makes no sense", 0);
            }
            groups.add(flat.subList(at + 1, at + 1 + count).stream().filter(found -> !TOLD_TWICE.contains(found.toString())).toList());
            at += 1 + count;
        }
        if (groups.size() != files || at != flat.size()) {
            throw new GuestFsException("lxattrlist: the answer does not fit the question", 0);
        }
        return groups;
    }

    @Override
    public byte[] read(FilePath file, long offset, int length) throws IOException {
        try {
            return ask(file, guest -> guest.buffer("pread", file.bytes(), length, offset));
        } catch (GuestFsException e) {
            throw unreadable(file, e);
        }
    }

    @Override
    public List<ByteRange> data(FilePath file, FileStatus status) throws IOException {
        return holes.data(file, status).orElseGet(() -> List.of(new ByteRange(0, status.size())));
    }

    private <T> T ask(FilePath path, Appliance.Request<T> request) throws GuestFsException, GuestException {
        return appliance.ask(volume.name() + path, request);
    }

    private static UnreadableFileException unreadable(FilePath path, GuestFsException e) {
        return new UnreadableFileException(path, e.reason(), e.isAbsent());
    }
}
