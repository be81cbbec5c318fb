package io.afterimage.boot;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfile.Read;
import io.afterimage.profile.BootProfiles;
import io.afterimage.profile.FoundProfile;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One boot, or what looks like one: records its reads until they cease, hands the device what the profile says comes next, and decides in the end whether
 * the record is a better profile than the one there is. All that may wait is done by a thread of its own. Thread-safe.
 */
final class BootSession {

    private static final Logger LOG = LoggerFactory.getLogger(BootSession.class);

    /** A machine that has read nothing for so long, and twice as long as it took to read all before, is up. Between boot loader and file systems a slow one reads nothing either. */
    private static final Duration LULL = Duration.ofSeconds(30);

    /** What is read later is no boot any more. */
    private static final Duration LONGEST = Duration.ofMinutes(3);

    /** How long a device that is closed waits for a store that does not answer. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /**
     * What it goes by.
     *
     * @param mayBeLikely whether it may be a boot without being proven one
     * @param chunk bytes of a chunk
     */
    record Rules(Occasion occasion, boolean mayBeLikely, int chunk) {}

    private final BlockDevice device;
    private final BootedDisk disk;
    private final BootProfiles profiles;
    private final Rules rules;
    private final LongSupplier nanoTime;
    private final Instant begin = Instant.ofEpochMilli(System.currentTimeMillis());
    private final Thread worker;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private Recording recording = new Recording();
    private Replay replay;
    private long firstRead;
    private long lastRead;
    private boolean hasRead;
    private volatile boolean over;

    BootSession(BlockDevice device, BootedDisk disk, BootProfiles profiles, Rules rules, LongSupplier nanoTime) {
        this.device = device;
        this.disk = disk;
        this.profiles = profiles;
        this.rules = rules;
        this.nanoTime = nanoTime;
        worker = Thread.ofVirtual().name("boot of " + disk).unstarted(this::run);
    }

    BootSession start() {
        worker.start();
        return this;
    }

    /** Whether it takes no more reads. */
    boolean isOver() {
        return over;
    }

    /** Whether it has stored what it is going to store, too. */
    boolean isDone() {
        return !worker.isAlive();
    }

    /** Takes a read into account, unless it is over. Never waits for anything but another such call. */
    void saw(long offset, long length) {
        if (over || length == 0) {
            return;
        }
        lock.lock();
        try {
            long now = nanoTime.getAsLong();
            if (!hasRead) {
                hasRead = true;
                firstRead = now;
                lastRead = now;
            }
            if (over || recording.isFull() || nanosLeft(now) <= 0) {
                over = true;
                changed.signal();
                return;
            }
            lastRead = now;
            recording.add(offset, length, (int) TimeUnit.NANOSECONDS.toMillis(now - firstRead));
            if (replay != null) {
                replay.saw(offset, length);
                if (replay.wantsMore()) {
                    changed.signal();
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** Until it is over if nothing is read any more. */
    private long nanosLeft(long now) {
        long lull = LULL.toNanos() + 2 * (lastRead - firstRead);
        return hasRead ? Math.min(lastRead + lull, firstRead + LONGEST.toNanos()) - now : lull;
    }

    /** Ends it, and waits, though not for ever, until its profile is stored. */
    void close() {
        lock.lock();
        try {
            over = true;
            changed.signal();
        } finally {
            lock.unlock();
        }
        try {
            worker.join(PATIENCE);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            Optional<FoundProfile> known = profiles.nearest(disk.machine(), disk.point(), disk.disk());
            known.map(FoundProfile::profile).ifPresent(this::replay);
            for (List<ByteRange> next = await(); !next.isEmpty(); next = await()) {
                next.forEach(device::prefetch);
            }
            conclude(known);
        } catch (IOException e) {
            LOG.warn("{} boots without a profile, and leaves none: {}", disk, e.getMessage());
        } catch (InterruptedException e) {
            LOG.debug("interrupted while {} booted", disk, e);
        } catch (RuntimeException e) {
            LOG.error("{} boots without a profile, and leaves none", disk, e);
        } finally {
            forget();
        }
    }

    /** The device, and with it this, may stay open for years. */
    private void forget() {
        lock.lock();
        try {
            over = true;
            recording = null;
            replay = null;
        } finally {
            lock.unlock();
        }
    }

    private void replay(BootProfile profile) {
        Replay made = new Replay(profile, device.size(), rules.chunk(), rules.occasion().advance());
        lock.lock();
        try {
            recording.firstTouches().forEach(read -> made.saw(read.offset(), read.length()));
            replay = made;
        } finally {
            lock.unlock();
        }
    }

    /** What to fetch next, when that is known; nothing any more when the boot is over. */
    private List<ByteRange> await() throws InterruptedException {
        lock.lock();
        try {
            while (!over) {
                List<ByteRange> next = replay != null && replay.wantsMore() ? replay.next() : List.of();
                if (!next.isEmpty()) {
                    return next;
                }
                long left = nanosLeft(nanoTime.getAsLong());
                if (hasRead && left <= 0) {
                    over = true;
                } else {
                    long _ = changed.awaitNanos(left);
                }
            }
            return List.of();
        } finally {
            lock.unlock();
        }
    }

    private void conclude(Optional<FoundProfile> known) throws IOException {
        boolean isInherited = known.filter(found -> found.isInheritedBy(disk.machine())).isPresent();
        if (replay != null) {
            LOG.info("The boot profile of {}{}: {} chunks fetched ahead, {} % of them read; {} bytes read that it does not have{}",
                    disk, isInherited ? ", which is that of " + known.get().place() : "", replay.fetchedCount(), replay.usedPercent(), replay.missed(), replay.isPoor() ? "; given up" : "");
        }
        boolean isProven = rules.occasion().isBoot() || recording.showsFirmware();
        if (!rules.occasion().isRecorded() || !(isProven || rules.mayBeLikely())) {
            // Before the reads are put in order: of a busy disk they are many, and whoever reads its first block begins this anew.
            return;
        }
        List<Read> reads = recording.firstTouches();
        BootProfile made = new BootProfile(disk.point(), begin, isProven, reads);
        if (new Verdict(device, rules.chunk(), isInherited).isWorthKeeping(made, known.map(FoundProfile::profile))) {
            profiles.put(disk.machine(), disk.disk(), made);
            LOG.info("The boot profile of {} is new: {} reads, {} bytes, {} ms", disk, reads.size(), made.bytes(), made.millis());
        }
    }
}
