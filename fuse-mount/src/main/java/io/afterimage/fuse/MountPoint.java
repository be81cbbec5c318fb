package io.afterimage.fuse;

import io.afterimage.fuse.jnr.FuseSession;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Sees to it that something can be mounted at a folder, and says what is in the way. */
final class MountPoint {

    /** The file system's type, as the mount table shows it. */
    static final String SUBTYPE = "afterimage";

    private static final Logger LOG = LoggerFactory.getLogger(MountPoint.class);
    private static final String TYPE = "fuse." + SUBTYPE;
    private static final String DEAD = "Transport endpoint is not connected";
    private static final long PATIENCE_SECONDS = 5;
    private static final Path DEVICE = Path.of("/dev/fuse");
    private static final Path CONFIGURATION = Path.of("/etc/fuse.conf");

    private MountPoint() {}

    /**
     * Checks all that can be checked before, and takes away what a killed process has left.
     *
     * @return the folder's real path
     * @throws IOException with a sentence for the user
     */
    static Path prepare(MountSettings settings) throws IOException {
        Path folder = real(settings.folder());
        mend(folder);
        checkFolder(folder);
        checkDevice();
        if ((int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") != 0) {
            checkUser(settings, folder);
        }
        return folder;
    }

    /** A dead mount cannot be looked at, but the folder that it lies in can. */
    private static Path real(Path folder) throws IOException {
        Path absolute = folder.toAbsolutePath().normalize();
        try {
            Path parent = absolute.getParent();
            boolean isLink = Files.isSymbolicLink(absolute);
            return parent == null || isLink ? absolute.toRealPath() : parent.toRealPath().resolve(absolute.getFileName());
        } catch (IOException e) {
            throw new IOException("There is no folder " + folder + ": make it first.", e);
        }
    }

    private static void mend(Path folder) throws IOException {
        for (Optional<MountTable.Mount> mount = MountTable.at(folder);
                mount.isPresent() && mount.get().type().equals(TYPE);
                mount = MountTable.at(folder)) {
            if (!isDead(folder)) {
                throw new IOException("Points are shown at " + folder + " already: end that with 'fusermount -u " + folder + "', or choose another folder.");
            }
            LOG.warn("A mount at {} whose process was killed is taken away.", folder);
            FuseSession.detach(folder);
            if (MountTable.at(folder).equals(mount)) {
                throw new IOException("A mount at " + folder + " was left by a process that was killed: take it away with 'fusermount -u -z " + folder + "' as the user who mounted it.");
            }
        }
    }

    /** A live one may wait for its store. */
    private static boolean isDead(Path folder) throws IOException {
        CompletableFuture<Boolean> answer = new CompletableFuture<>();
        Thread.ofPlatform().daemon().name("mount-probe").start(() -> {
            try {
                Files.getAttribute(folder, "unix:ino");
                answer.complete(false);
            } catch (FileSystemException e) {
                answer.complete(DEAD.equals(e.getReason()));
            } catch (IOException | RuntimeException e) {
                answer.completeExceptionally(e);
            }
        });
        try {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new IOException("The folder " + folder + " cannot be looked at: " + e.getCause().getMessage() + ".", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the folder was looked at", e);
        }
    }

    private static void checkFolder(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            throw new IOException("There is no folder " + folder + ": make it first.");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException(folder + " is no folder: points are shown at an empty folder.");
        }
        try (Stream<Path> content = Files.list(folder)) {
            if (content.findAny().isPresent()) {
                throw new IOException("The folder " + folder + " is not empty, and what is in it would be hidden: choose an empty one.");
            }
        } catch (FileSystemException e) {
            throw new IOException("The folder " + folder + " cannot be looked into: choose one of your own.", e);
        }
    }

    private static void checkDevice() throws IOException {
        if (!Files.exists(DEVICE)) {
            throw new IOException("There is no " + DEVICE + ": load the kernel's module with 'modprobe fuse', or hand the device to the container.");
        }
        if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
            throw new IOException("This user may not open " + DEVICE + ": have it made readable and writable for everybody, which is usual and safe, or run this as root.");
        }
    }

    private static void checkUser(MountSettings settings, Path folder) throws IOException {
        if (Stream.of(System.getenv().getOrDefault("PATH", "").split(":")).noneMatch(path -> Files.isExecutable(Path.of(path, "fusermount")))) {
            throw new IOException("A user who is not root mounts by the program fusermount, which was not found: install the package fuse.");
        }
        if (!Files.isWritable(folder)) {
            throw new IOException("The folder " + folder + " is not this user's to write to, and so nothing can be mounted there: choose one of your own.");
        }
        if (settings.allowOther() && !mayAllowOther()) {
            throw new IOException("Only root may show a mount to other users: write the line 'user_allow_other' into " + CONFIGURATION + ", or run this as root.");
        }
    }

    private static boolean mayAllowOther() throws IOException {
        try (Stream<String> lines = Files.lines(CONFIGURATION)) {
            return lines.anyMatch(line -> line.strip().equals("user_allow_other"));
        } catch (FileSystemException _) {
            return false;
        }
    }
}
