package io.afterimage.boot;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.Extent;
import io.afterimage.profile.BootProfile;
import io.afterimage.profile.BootProfile.Read;
import java.io.IOException;
import java.util.Optional;

/**
 * Whether what was recorded is a boot, and tells more of the next one than the profile there is.
 *
 * @param chunk bytes of a chunk
 * @param isInherited whether the profile there is, if any, is a base image's: it goes when that is forgotten
 */
record Verdict(BlockDevice device, int chunk, boolean isInherited) {

    /** Less is not worth a request. */
    private static final long FEWEST_BYTES = 256 << 10;

    /** Who reads so much of the data there is, in percent, reads all of it. */
    private static final int SCAN = 90;

    /** A profile is as good as new with so much of a boot in it, in percent, and so much of it read by the boot. */
    private static final int FITTING = 90;

    private static final int NEEDED = 50;

    private static final int EXTENTS = 4096;

    /** @param made of what is proven a boot or may be one */
    boolean isWorthKeeping(BootProfile made, Optional<BootProfile> known) throws IOException {
        return made.bytes() >= FEWEST_BYTES
                && (made.proven() || !isScan(made))
                && (known.isEmpty() || isNews(made, known.get()));
    }

    /** Whether nearly all data was read there is as far as anything was read: by who copies or searches a disk. */
    private boolean isScan(BootProfile made) throws IOException {
        long end = Math.min(made.reads().stream().mapToLong(Read::end).max().orElse(0), device.size());
        long data = 0;
        for (long at = 0; at < end; ) {
            for (Extent extent : device.extents(ByteRange.between(at, end), EXTENTS)) {
                data += extent.kind() == Extent.Kind.DATA ? extent.range().length() : 0;
                at = extent.range().end();
            }
        }
        return (long) chunks(made).count() * chunk >= data * SCAN / 100;
    }

    private boolean isNews(BootProfile made, BootProfile known) {
        if (known.proven() && !made.proven()) {
            return false;
        }
        ChunkOrder now = chunks(made);
        ChunkOrder before = chunks(known);
        int common = now.common(before);
        // A boot that was cut short tells nothing about what it would have read later.
        boolean whole = made.millis() >= known.millis();
        boolean tellsAsMuch = common * 100L >= (long) before.count() * FITTING;
        return common * 100L < (long) now.count() * FITTING
                || (whole && common * 100L < (long) before.count() * NEEDED)
                || (isInherited && tellsAsMuch);
    }

    private ChunkOrder chunks(BootProfile profile) {
        return ChunkOrder.of(profile.reads(), device.size(), chunk);
    }
}
