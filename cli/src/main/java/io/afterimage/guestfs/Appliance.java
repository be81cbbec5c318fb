package io.afterimage.guestfs;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.afterimage.files.FileTree;
import io.afterimage.guestfs.GuestException.Reason;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/**
 * A running appliance of libguestfs with some disks. It has no network, and what its kernel writes to the disks, such as a journal's
 * replay, goes to files in a private folder that are gone with it. If it does not answer in time, it is killed, and what was asked ends
 * with a {@link GuestException}. For one thread.
 */
public final class Appliance implements Closeable {

    private final GuestFs library;
    private final Watchdog watchdog;
    private final List<AttachedDisk> disks;

    /**
     * How to run it.
     *
     * @param accelerator QEMU's: {@code kvm} or {@code tcg}, with options of it, which do not matter here
     * @param patience for each request
     * @param folder an empty one, for this appliance alone
     */
    public record Settings(String accelerator, Duration patience, Path folder) {}

    private Appliance(GuestFs library, Watchdog watchdog, List<AttachedDisk> disks) {
        this.library = library;
        this.watchdog = watchdog;
        this.disks = disks;
    }

    /** Starts it, which takes some seconds, and some more where that was never done, for then it is built. */
    public static Appliance start(List<AttachedDisk> disks, Settings settings) throws GuestException {
        GuestFs library = GuestFs.open();
        Appliance appliance = new Appliance(library, new Watchdog(settings.patience(), settings.folder()), List.copyOf(disks));
        try {
            appliance.launch(settings);
            return appliance;
        } catch (GuestFsException e) {
            appliance.close();
            throw appliance.watchdog.hasTimedOut()
                    ? appliance.watchdog.exception("its start", e)
                    : new GuestException(
                            Reason.NOT_STARTED,
                            "The appliance of libguestfs does not start (" + e.getMessage()
                                    + "): it needs a kernel in /boot that this user can read (package linux-image-cloud-amd64);"
                                    + " libguestfs-test-tool tells more.",
                            e);
        } catch (RuntimeException e) {
            appliance.close();
            throw e;
        }
    }

    private void launch(Settings settings) throws GuestFsException {
        library.number("set_backend", "direct");
        if (!settings.accelerator().toLowerCase(Locale.ROOT).startsWith("kvm")) {
            library.number("set_backend_setting", "force_tcg", "1");
        }
        library.number("set_tmpdir", settings.folder().toString());
        library.number("set_network", 0);
        // There is nothing to be flushed at the end.
        library.number("set_autosync", 0);
        for (AttachedDisk disk : disks) {
            try (Arena arena = Arena.ofConfined()) {
                library.number("add_drive_opts_argv", disk.export(), options(arena, disk));
            }
        }
        try (Watchdog.Watch _ = watchdog.watch()) {
            library.number("launch");
        }
    }

    private static final long READONLY = 1;
    private static final long FORMAT = 1 << 1;
    private static final long PROTOCOL = 1 << 5;
    private static final long SERVER = 1 << 6;
    private static final long OPTIONS_SIZE = 128;

    /** {@code struct guestfs_add_drive_opts_argv}: a mask of what is set, then each in turn. */
    private static MemorySegment options(Arena arena, AttachedDisk disk) {
        MemorySegment options = arena.allocate(OPTIONS_SIZE);
        options.setAtIndex(JAVA_LONG, 0, READONLY | FORMAT | PROTOCOL | SERVER);
        options.setAtIndex(JAVA_INT, 2, 1);
        options.setAtIndex(ADDRESS, 2, arena.allocateFrom("raw"));
        options.setAtIndex(ADDRESS, 6, arena.allocateFrom("nbd"));
        MemorySegment servers = arena.allocate(ADDRESS, 2);
        servers.setAtIndex(ADDRESS, 0, arena.allocateFrom("unix:" + disk.socket()));
        options.setAtIndex(ADDRESS, 7, servers);
        return options;
    }

    /** A request to the appliance. */
    interface Request<T> {
        T ask(GuestFs library) throws GuestFsException;
    }

    /**
     * Asks it something, within the time that it has.
     *
     * @throws GuestFsException if it has answered that it cannot
     * @throws GuestException if it is no more
     */
    <T> T ask(Object subject, Request<T> request) throws GuestFsException, GuestException {
        try (Watchdog.Watch _ = watchdog.watch()) {
            return request.ask(library);
        } catch (GuestFsException e) {
            if (watchdog.hasTimedOut()) {
                throw watchdog.exception(String.valueOf(subject), e);
            }
            if (!library.isReady()) {
                throw new GuestException(
                        Reason.ENDED,
                        "The appliance that reads the guest's files has ended at " + subject
                                + ": the file system there may be damaged, or made to do that; other volumes can be read still.",
                        e);
            }
            throw e;
        }
    }

    /** The volumes of all disks, by disk and number, then those that are made of several. */
    public List<Volume> volumes() throws GuestException {
        return new VolumeFinder(this, disks).find();
    }

    /** Mounts a volume, read-only, instead of what was mounted before. */
    public FileTree open(Volume volume) throws IOException {
        if (!volume.mountable()) {
            throw new GuestException(Reason.NO_FILE_SYSTEM, volume.name() + " holds no file system that could be opened ("
                    + volume.content().orElse("unknown") + "): 'afterimage files' without a path shows those that do.");
        }
        // XFS and Btrfs replay their logs all the same. A Btrfs is shown from its top, with its subvolumes as folders.
        String options = switch (volume.content().orElse("")) {
            case "btrfs" -> "ro,subvolid=5";
            case "xfs" -> "ro,nouuid";
            case "vfat" -> "ro,utf8";
            default -> "ro";
        };
        try {
            ask(volume.name(), guest -> guest.number("umount_all"));
            ask(volume.name(), guest -> guest.number("mount_options", options, volume.device(), "/"));
        } catch (GuestFsException e) {
            throw new GuestException(
                    Reason.NO_FILE_SYSTEM,
                    "The file system " + volume.name() + " (" + volume.content().orElse("unknown") + ") cannot be mounted: " + e.reason()
                            + ". An earlier point may have it whole.",
                    e);
        }
        return new ApplianceTree(this, volume);
    }

    /** Ends the one with that folder at once, also while it starts; who waits for it gets an exception. For any thread. */
    public static void kill(Path folder) {
        Watchdog.bite(folder);
    }

    @Override
    public void close() {
        watchdog.close();
        library.close();
    }
}
