package io.afterimage.fuse;

import io.afterimage.fuse.jnr.FuseSession;
import io.afterimage.fuse.tree.RepositoryTree;
import io.afterimage.image.ImageLibrary;
import io.afterimage.repository.Repository;
import io.afterimage.store.Ticker;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The points of a repository as files below a folder, until it is closed or somebody unmounts it. Thread-safe. */
public final class RepositoryMount implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(RepositoryMount.class);

    /**
     * What is at a path can change within a listing's age only, so the kernel keeps names and attributes for a second; that something is missing it does not keep, since it may come.
     * Bytes it keeps for as long as it likes: what is at a path never changes, and another point has another path.
     */
    private static final List<String> OPTIONS = List.of(
            "ro", "nosuid", "nodev", "fsname=afterimage", "subtype=" + MountPoint.SUBTYPE, "use_ino", "default_permissions",
            "kernel_cache", "entry_timeout=1", "attr_timeout=1", "negative_timeout=0", "max_read=131072", "max_background=64");

    /** FUSE's own is 128, which is one request of the largest size at a time; more than this was no quicker (perf/README.md). */
    private static final String READ_AHEAD_KIB = "512";

    private final Path folder;
    private final FuseSession session;

    private RepositoryMount(Path folder, FuseSession session) {
        this.folder = folder;
        this.session = session;
    }

    /**
     * Mounts.
     *
     * @param repository stays open as long as the mount, and the caller's to close
     * @param images of that repository; the same holds for them
     * @throws IOException if it cannot be, with a sentence for the user
     */
    public static RepositoryMount start(MountSettings settings, Repository repository, ImageLibrary images) throws IOException {
        Path folder = MountPoint.prepare(settings);
        List<String> options = new ArrayList<>(OPTIONS);
        if (settings.allowOther()) {
            options.add("allow_other");
        }
        RepositoryTree tree = new RepositoryTree(repository, images, Ticker.SYSTEM, settings.refresh());
        FuseSession session = FuseSession.mount(folder, options, tree);
        RepositoryMount mount = new RepositoryMount(folder, session);
        mount.readAhead();
        return mount;
    }

    /** Only root can ask the kernel for more; without it everything works, and reads of whole disks are slower. */
    private void readAhead() {
        try {
            MountTable.Mount mount = MountTable.at(folder).orElseThrow(() -> new IOException("it is not mounted any more"));
            Files.writeString(Path.of("/sys/class/bdi", mount.device(), "read_ahead_kb"), READ_AHEAD_KIB);
        } catch (IOException e) {
            LOG.debug("The kernel reads ahead as it does by itself", e);
        }
    }

    /** Where the points are. */
    public Path folder() {
        return folder;
    }

    /** Returns when it has been unmounted, and nothing in it is open any more. */
    public void awaitEnd() throws InterruptedException {
        session.awaitEnd();
    }

    /** Whether {@link #awaitEnd} would return at once. */
    public boolean hasEnded() {
        return session.hasEnded();
    }

    /** Unmounts at once, and waits a moment for what is being read; files that are open then end with an error when the process does. */
    @Override
    public void close() {
        session.close();
    }
}
