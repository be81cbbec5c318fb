package io.afterimage.fuse.jnr;

import io.afterimage.fuse.tree.RepositoryTree;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Struct;
import jnr.ffi.byref.IntByReference;
import jnr.ffi.byref.PointerByReference;

/** A mount, from when the kernel has it until it has been unmounted, by whomever. Thread-safe. */
public final class FuseSession implements Closeable {

    private static final String LIBRARY = "libfuse.so.2";
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final Duration GRACE = Duration.ofSeconds(3);

    private final LibFuse2 library;
    private final Path folder;
    private final Pointer fuse;
    private final Operations operations;
    private final RequestLoop loop;

    private FuseSession(LibFuse2 library, Path folder, Pointer fuse, Operations operations) {
        this.library = library;
        this.folder = folder;
        this.fuse = fuse;
        this.operations = operations;
        loop = new RequestLoop(library, library.fuse_get_session(fuse), this::ended);
    }

    /**
     * Shows the tree at a folder.
     *
     * @param options as libfuse's {@code -o}
     * @throws IOException if it cannot be, with a sentence for the user; libfuse itself may have printed another one
     */
    public static FuseSession mount(Path folder, List<String> options, RepositoryTree tree) throws IOException {
        LibFuse2 library = library();
        Path self = Path.of("/proc/self");
        Operations operations =
                new Operations(tree, (int) Files.getAttribute(self, "unix:uid"), (int) Files.getAttribute(self, "unix:gid"));
        String[] arguments = {"afterimage", "-f", "-o", String.join(",", options), folder.toString()};
        Pointer fuse = library.fuse_setup(
                arguments.length,
                arguments,
                operations.structure(),
                Struct.size(operations.structure()),
                new PointerByReference(),
                new IntByReference(),
                null);
        if (fuse == null) {
            throw new IOException(
                    "Nothing can be mounted at " + folder + ", for the reason that libfuse has given above:"
                            + " in a container, give it /dev/fuse and the capability SYS_ADMIN; else run it as a user who may mount there.");
        }
        FuseSession session = new FuseSession(library, folder, fuse, operations);
        session.loop.start();
        session.awaitKernel();
        return session;
    }

    private static LibFuse2 library() throws IOException {
        try {
            return LibraryLoader.create(LibFuse2.class).failImmediately().load(LIBRARY);
        } catch (UnsatisfiedLinkError e) {
            throw new IOException(
                    "Mounting needs libfuse 2, and " + LIBRARY + " was not found: install the package libfuse2 (libfuse2t64 on newer systems).", e);
        }
    }

    private void awaitKernel() throws IOException {
        try {
            if (!operations.ready().await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                close();
                throw new IOException("The kernel does not take up the mount at " + folder + ": look into its log (dmesg).");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            close();
            throw new IOException("interrupted while " + folder + " was mounted", e);
        }
    }

    /** Detaches what is mounted at a folder, whatever it is, also if files in it are open. */
    public static void detach(Path folder) throws IOException {
        library().fuse_unmount(folder.toString(), null);
    }

    /** Returns when it has been unmounted and nothing in it is open any more. */
    public void awaitEnd() throws InterruptedException {
        loop.awaitEnd();
    }

    /** Whether it has been unmounted and nothing in it is open. */
    public boolean hasEnded() {
        return loop.hasEnded();
    }

    private void ended() {
        operations.close();
        library.fuse_destroy(fuse);
    }

    /**
     * Unmounts it. Files that are open stay readable for as long as this process lives: it is awaited for a moment that they are closed.
     */
    @Override
    public void close() {
        if (loop.isRunning()) {
            library.fuse_unmount(folder.toString(), null);
        }
        try {
            loop.awaitEnd(GRACE);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
