package io.afterimage.maintenance;

import io.afterimage.block.ByteRange;
import io.afterimage.capture.Progress;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.PackId;
import io.afterimage.maintenance.Finding.Touched;
import io.afterimage.manifest.DiskName;
import io.afterimage.pack.PackObjects;
import io.afterimage.repository.Repository;
import io.afterimage.repository.RequestWindow;
import io.afterimage.store.Listing;
import io.afterimage.store.ObjectInfo;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks whether what points need is there and whole, and records what is not, so that the next backup stores it anew.
 *
 * <p>All points' manifests are read first; then each pack that they need is looked at once, several at a time, each frame in it read once
 * however many points share it. Safe beside backups, readers, gc and other verifications: a point that is forgotten meanwhile is left out, a frame that is moved
 * meanwhile is followed. Memory: four bytes a frame, and a few MiB for each pack under way.
 */
public final class Verification {

    private static final Logger LOG = LoggerFactory.getLogger(Verification.class);

    /** Packs under way; each holds at most one request's bytes. */
    private static final int AT_ONCE = 8;

    private final Repository repository;
    private final InstantSource clock;
    private final RandomGenerator random;

    /** @param random draws samples */
    public Verification(Repository repository, InstantSource clock, RandomGenerator random) {
        this.repository = repository;
        this.clock = clock;
        this.random = random;
    }

    /**
     * What to verify.
     *
     * @param point one point; all of them when empty
     * @param disk one disk of it; all of them when empty
     * @param resume where this host keeps how far a full verification of all has come; whole packs are not read twice when it is interrupted
     * @param restart whether to forget what an interrupted one has done
     * @param record whether to record damage in the repository, and that it is over
     */
    public record Request(
            Optional<Point> point, Optional<DiskName> disk, Thoroughness thoroughness, Path resume, boolean restart, boolean record) {}

    /** What is to be done with a pack, and how it was found. */
    private record Checked(PackId pack, List<ChunkAddress> needed, PackState state, boolean skipped) {}

    /** Verifies; damage is reported, not thrown. What is thrown says that it could not be found out. */
    public VerifyReport run(Request request, Progress progress) throws IOException {
        VerifiedPoints points = new VerifiedPoints(repository, request.disk());
        if (request.point().isPresent()) {
            points.add(request.point().get().machine(), request.point().get().id());
        } else {
            points.addAll();
        }
        NeededFrames needed = points.frames();
        Map<PackId, Long> lengths = lengths(needed);
        List<Checked> bad = new ArrayList<>();
        List<Checked> good = new ArrayList<>();
        Tally tally = new Tally();
        progress.total(needed.packs().stream().mapToLong(pack -> needed.bytes(pack, repository.chunkSize())).sum());
        boolean isFull = request.thoroughness() instanceof Thoroughness.Full;
        if (request.restart()) {
            Files.deleteIfExists(request.resume());
        }
        ResumeFile resume = isFull ? ResumeFile.open(request.resume(), clock.instant()) : null;
        DamageRecords records = new DamageRecords(repository);
        Set<PackId> sample = sample(request.thoroughness(), needed);
        new RequestWindow(AT_ONCE).forEach(
                needed.packs(), pack -> check(pack, needed.of(pack), lengths, sample, records.contains(pack) ? null : resume), checked -> {
                    long bytes = needed.bytes(checked.pack, repository.chunkSize());
                    progress.advance(bytes);
                    tally.add(checked, bytes);
                    (checked.state.isWhole() ? good : bad).add(checked);
                    if (resume != null && checked.state.isWhole() && !checked.skipped) {
                        resume.add(checked.pack, checked.needed);
                    }
                });
        Map<PackId, List<Touched>> touched = touched(points, bad);
        List<Finding> findings = new ArrayList<>(points.findings());
        bad.removeIf(checked -> !touched.containsKey(checked.pack));
        bad.forEach(checked -> findings.add(finding(checked, touched.get(checked.pack))));
        if (request.record()) {
            record(records, sample, bad, good);
        }
        if (resume != null) {
            resume.close();
        }
        return new VerifyReport(points.count(), needed.packs().size(), tally.chunks, tally.bytes, records.healed(), findings);
    }

    private static final class Tally {

        private long chunks;
        private long bytes;

        void add(Checked checked, long packBytes) {
            chunks += checked.skipped ? checked.needed.size() : checked.state.read();
            bytes += checked.skipped || checked.state.read() > 0 ? packBytes : 0;
        }
    }

    private Map<PackId, Long> lengths(NeededFrames needed) throws IOException {
        Map<PackId, Long> lengths = new HashMap<>();
        Listing packs = repository.store().list(PackObjects.ALL);
        while (packs.hasNext()) {
            ObjectInfo pack = packs.next();
            PackObjects.id(pack.key()).filter(needed.packs()::contains).ifPresent(id -> lengths.put(id, pack.size()));
        }
        return lengths;
    }

    /** The packs whose chunks are read. */
    private Set<PackId> sample(Thoroughness thoroughness, NeededFrames needed) {
        return switch (thoroughness) {
            case Thoroughness.Full _ -> new HashSet<>(needed.packs());
            case Thoroughness.Structure _ -> Set.of();
            case Thoroughness.Sample sample -> {
                List<PackId> left = new ArrayList<>(needed.packs());
                Set<PackId> drawn = new HashSet<>();
                long count = (long) Math.ceil(sample.share() * left.size());
                while (drawn.size() < count) {
                    drawn.add(left.remove(random.nextInt(left.size())));
                }
                yield drawn;
            }
        };
    }

    /**
     * Runs on many threads.
     *
     * @param resume null if what was read before does not count
     */
    private Checked check(PackId pack, List<ChunkAddress> needed, Map<PackId, Long> lengths, Set<PackId> sample, ResumeFile resume)
            throws IOException {
        if (resume != null && resume.isDone(pack, needed) && lengths.containsKey(pack)) {
            return new Checked(pack, needed, new PackState(pack, Optional.empty(), List.of(), Optional.empty(), 0), true);
        }
        OptionalLong length = lengths.containsKey(pack) ? OptionalLong.of(lengths.get(pack)) : OptionalLong.empty();
        return new Checked(pack, needed, new PackCheck(repository, pack, needed).run(length, sample.contains(pack)), false);
    }

    /** What of the disks cannot be read because of each bad pack; a bad pack that no point needs any more is not in it. */
    private Map<PackId, List<Touched>> touched(VerifiedPoints points, List<Checked> bad) throws IOException {
        record DiskOfPoint(PackId pack, Point point, DiskName disk) {}
        Map<PackId, List<Touched>> touched = new HashMap<>();
        Map<PackId, Set<ChunkAddress>> lost = new HashMap<>();
        for (Checked checked : bad) {
            Set<ChunkAddress> frames = new HashSet<>();
            checked.state.unreadable().forEach(frame -> frames.add(frame.address()));
            lost.put(checked.pack, frames);
        }
        if (lost.isEmpty()) {
            return touched;
        }
        Map<DiskOfPoint, List<ByteRange>> ranges = new LinkedHashMap<>();
        points.walk(lost::containsKey, (address, point, disk, range) -> {
            touched.computeIfAbsent(address.pack(), _ -> new ArrayList<>());
            if (lost.get(address.pack()).contains(address)) {
                add(ranges.computeIfAbsent(new DiskOfPoint(address.pack(), point, disk), _ -> new ArrayList<>()), range);
            }
        });
        ranges.forEach((where, of) -> touched.get(where.pack)
                .add(new Touched(where.point.machine(), where.point.id(), where.disk, of)));
        return touched;
    }

    private static void add(List<ByteRange> ranges, ByteRange next) {
        if (!ranges.isEmpty() && ranges.getLast().end() == next.offset()) {
            ranges.add(ByteRange.between(ranges.removeLast().offset(), next.end()));
        } else {
            ranges.add(next);
        }
    }

    private static Finding finding(Checked checked, List<Touched> touched) {
        PackState state = checked.state;
        int lost = state.unreadable().size();
        String chunks = lost == 0
                ? "all chunks that points need of it are whole"
                : lost + " of the " + checked.needed.size() + " chunks that points need of it cannot be read";
        String problem = state.problem().map(text -> text + "; " + chunks).orElse(chunks)
                + (state.problem().isEmpty() ? state.detail().map(detail -> " (" + detail + ")").orElse("") : "");
        return new Finding(PackObjects.key(checked.pack), problem, touched);
    }

    private void record(DamageRecords records, Set<PackId> sample, List<Checked> bad, List<Checked> good) throws IOException {
        try {
            for (Checked checked : bad) {
                records.update(checked.state, checked.needed);
            }
            for (Checked checked : good) {
                if (sample.contains(checked.pack) && !checked.skipped) {
                    records.update(checked.state, checked.needed);
                }
            }
        } catch (StoreException e) {
            if (e.problem() != Problem.READ_ONLY && e.problem() != Problem.ACCESS_DENIED) {
                throw e;
            }
            LOG.warn("What was found cannot be recorded, so that backups will not heal it: {}", e.getMessage());
        }
    }
}
