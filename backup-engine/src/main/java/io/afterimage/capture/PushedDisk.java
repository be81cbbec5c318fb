package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.util.Optional;

/**
 * A disk that somebody else reads, and sends: what may have changed since the parent point, or all of it.
 *
 * @param dirty how much is to come at least, in whole chunks; empty when all of the disk is
 * @param sender makes it come
 */
public record PushedDisk(DiskName name, long size, Optional<Long> dirty, Optional<String> reason, Sender sender) implements DiskSource {

    /** Makes a disk come. */
    @FunctionalInterface
    public interface Sender {

        /**
         * Returns when all of it has been written to, or zeroed in, {@code target}: every byte at most once, in any order, by many threads
         * at once. A write waits as long as the store does, and fails when the capture has.
         */
        void send(BlockDevice target) throws IOException;
    }
}
