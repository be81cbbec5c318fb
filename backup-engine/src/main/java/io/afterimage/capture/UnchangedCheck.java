package io.afterimage.capture;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.BlockMap;
import io.afterimage.manifest.DiskMap;
import io.afterimage.manifest.Manifest;
import io.afterimage.repository.ChunkReader;
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
 * <p>Where bitmaps tell of changes, one of them is read in any case: the last one of data. When a disk is made smaller and grows back, QEMU's bitmaps forget what they had behind its end, and take
 * the zeros that have come there for unchanged; whatever was lost like that, this chunk was.
 *
 * @param share of the chunks, from 0 to 1; each is chosen by chance
 */
public record UnchangedCheck(Comparison comparison, double share, RandomGenerator random) {

    private static final Logger LOG = LoggerFactory.getLogger(UnchangedCheck.class);

    /**
     * The check of one backup.
     *
     * @param share empty where no more is doubted than always
     */
    public static UnchangedCheck of(Optional<Double> share, Repository repository, ChunkIndex index, RandomGenerator random) {
        return new UnchangedCheck(new Comparison(repository, index), share.orElse(0.0), random);
    }

    /**
     * The disk as given, or to be read whole, with the reason. A disk that the parent does not have is left as it is.
     *
     * @param recorded whether it was a bitmap that told what has changed
     */
    public SourceDisk check(SourceDisk disk, Optional<Manifest> parent, boolean recorded) throws IOException {
        Optional<BlockMap> map = parent.flatMap(manifest -> manifest.disk(disk.name())).map(DiskMap::map);
        if (disk.changed().isEmpty() || map.isEmpty()) {
            return disk;
        }
        Optional<String> doubt = doubt(disk.device(), map.get(), disk.changed().get(), recorded);
        if (doubt.isEmpty()) {
            return disk;
        }
        LOG.warn("Disk {} is read whole, since {}", disk.name(), doubt.get());
        return SourceDisk.whole(disk.name(), disk.device(), doubt).at(disk.pace());
    }

    private Optional<String> doubt(BlockDevice device, BlockMap map, List<ByteRange> changed, boolean recorded) throws IOException {
        List<ChunkRange> unchanged = unchanged(changed, map.chunkSize().count(device.size()), map.chunkSize());
        List<ChunkRange> sample = new ArrayList<>();
        unchanged.forEach(range -> take(sample, range));
        if (recorded) {
            last(unchanged, map).ifPresent(sample::add);
        }
        long unit = map.chunkSize().bytes();
        List<ByteRange> bytes = ByteRange.union(sample.stream()
                .map(range -> ByteRange.between(range.first() * unit, Math.min(device.size(), range.end() * unit)))
                .toList());
        try {
            OptionalLong difference = comparison.firstDifference(device, map, bytes);
            return difference.isEmpty()
                    ? Optional.empty()
                    : Optional.of("it differs at byte " + difference.getAsLong() + " from the parent point, where it was said not to have changed");
        } catch (IOException e) {
            if (ChunkReader.isDamage(e)) {
                return Optional.of("what the repository has of it is damaged, so that it cannot be told whether it has changed");
            }
            throw e;
        }
    }

    /** The chunks that no changed range touches. */
    private static List<ChunkRange> unchanged(List<ByteRange> changed, long chunks, ChunkSize chunkSize) {
        List<ChunkRange> unchanged = new ArrayList<>();
        long chunk = 0;
        for (ByteRange range : changed) {
            unchanged.add(new ChunkRange(chunk, range.offset() / chunkSize.bytes(), false));
            chunk = Math.max(chunk, chunkSize.count(range.end()));
        }
        unchanged.add(new ChunkRange(chunk, chunks, false));
        return unchanged.stream().filter(range -> range.first() < range.end()).toList();
    }

    private void take(List<ChunkRange> sample, ChunkRange range) {
        if (share >= 1) {
            sample.add(range);
            return;
        }
        for (long chunk = range.first(); chunk < range.end() && share > 0; chunk++) {
            if (random.nextDouble() < share) {
                sample.add(new ChunkRange(chunk, chunk + 1, false));
            }
        }
    }

    /** The last of these chunks that is not all zeros in the map. */
    private static Optional<ChunkRange> last(List<ChunkRange> unchanged, BlockMap map) {
        for (ChunkRange range : unchanged.reversed()) {
            long last = map.lastBefore(Math.min(range.end(), map.chunks()));
            if (last >= range.first()) {
                return Optional.of(new ChunkRange(last, last + 1, false));
            }
        }
        return Optional.empty();
    }
}
