package io.afterimage.capture;

import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.Manifest;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Doubts the word of whoever says what has changed: a share of the chunks that are said not to have is read, and when one of
 * them is not what the parent has, the disk is read whole.
 *
 * @param share of the chunks, above 0 and at most 1; each is chosen by chance
 */
public record UnchangedCheck(Comparison comparison, double share, RandomGenerator random) {

    private static final Logger LOG = LoggerFactory.getLogger(UnchangedCheck.class);

    /** The check, if there is to be one. */
    public static Optional<UnchangedCheck> of(Optional<Double> share, Repository repository, ChunkIndex index, RandomGenerator random) {
        return share.map(some -> new UnchangedCheck(new Comparison(repository, index), some, random));
    }

    /** The disk as given, or to be read whole, with the reason. A disk that the parent does not have is left as it is. */
    public SourceDisk check(SourceDisk disk, Optional<Manifest> parent) throws IOException {
        Optional<BlockMap> map = parent.flatMap(manifest -> manifest.disk(disk.name())).map(DiskMap::map);
        if (disk.changed().isEmpty() || map.isEmpty()) {
            return disk;
        }
        OptionalLong difference = comparison.firstDifference(
                disk.device(), map.get(), sample(disk.changed().get(), disk.device().size(), map.get().chunkSize()));
        if (difference.isEmpty()) {
            return disk;
        }
        String reason = "it differs at byte " + difference.getAsLong() + " from the parent point, where it was said not to have changed";
        LOG.warn("Disk {} is read whole, since {}", disk.name(), reason);
        return SourceDisk.whole(disk.name(), disk.device(), Optional.of(reason));
    }

    /** Some of the chunks that no changed range touches. */
    private List<ByteRange> sample(List<ByteRange> changed, long size, ChunkSize chunkSize) {
        List<ByteRange> sample = new ArrayList<>();
        long unit = chunkSize.bytes();
        long chunk = 0;
        for (ByteRange range : changed) {
            take(sample, chunk, range.offset() / unit, size, unit);
            chunk = Math.max(chunk, chunkSize.count(range.end()));
        }
        take(sample, chunk, chunkSize.count(size), size, unit);
        return sample;
    }

    private void take(List<ByteRange> sample, long first, long end, long size, long unit) {
        for (long chunk = first; chunk < end; chunk++) {
            if (share >= 1 || random.nextDouble() < share) {
                sample.add(ByteRange.between(chunk * unit, Math.min(size, (chunk + 1) * unit)));
            }
        }
    }
}
