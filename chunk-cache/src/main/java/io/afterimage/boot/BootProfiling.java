package io.afterimage.boot;

import io.afterimage.block.BlockDevice;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.manifest.DiskName;
import io.afterimage.profile.BootProfiles;
import io.afterimage.repository.Repository;
import java.util.function.LongSupplier;

/**
 * Watches devices for boots: records what each reads, keeps it as the disk's {@linkplain io.afterimage.profile.BootProfile profile} if it is news, and
 * lets the device fetch ahead what the boot before has read. What goes wrong with profiles is logged, and never a reader's affair. Thread-safe.
 */
public final class BootProfiling {

    private final BootProfiles profiles;
    private final int chunk;
    private final Occasion occasion;
    private final LongSupplier nanoTime;

    /** For devices of points of this repository, which stays open for longer than they. */
    public BootProfiling(Repository repository, Occasion occasion) {
        this(repository, occasion, System::nanoTime);
    }

    BootProfiling(Repository repository, Occasion occasion, LongSupplier nanoTime) {
        this.profiles = new BootProfiles(repository);
        this.chunk = repository.chunkSize().bytes();
        this.occasion = occasion;
        this.nanoTime = nanoTime;
    }

    /**
     * The same device, watched; closing it closes that one. A boot that goes on then has ended, and closing waits, for some seconds at most, for its profile to
     * be stored. A machine without a profile begins with that of the base image that it was launched from. While no boot goes on, a read through it costs a comparison.
     */
    public BlockDevice watch(BlockDevice device, HeldPoint point, DiskName disk) {
        return new WatchedDevice(device, new BootedDisk(point.machine(), disk, point.point()), this);
    }

    /** The boot that the device was opened for. */
    BootSession begin(BlockDevice device, BootedDisk disk) {
        return begin(device, disk, new BootSession.Rules(occasion, true, chunk));
    }

    /** What may be another boot of a device that has been in use. */
    BootSession beginAgain(BlockDevice device, BootedDisk disk) {
        return begin(device, disk, new BootSession.Rules(Occasion.UNKNOWN, false, chunk));
    }

    private BootSession begin(BlockDevice device, BootedDisk disk, BootSession.Rules rules) {
        return new BootSession(device, disk, profiles, rules, nanoTime).start();
    }

    Occasion occasion() {
        return occasion;
    }
}
