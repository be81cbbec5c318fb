package io.afterimage.maintenance;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.GcLease;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.time.Duration;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;

/**
 * Deletes what no point needs, in two phases: what is garbage is first {@linkplain io.afterimage.repository.Condemnation condemned} and, once nobody can
 * refer to it any more and the grace period is over, deleted by a later run. Backups, readers and forgetting go on meanwhile, on any hosts. May be
 * ended at any moment: the next run goes on where this one was.
 */
public final class GarbageCollection {

    /** Of PUTs that died with their process: none takes longer. */
    private static final Duration LONGEST_PUT = Duration.ofDays(1);

    private final Repository repository;
    private final InstantSource clock;
    private final LeaseTerms terms;
    private final SecureRandom random;

    /** @param random names the packs that others are emptied into */
    public GarbageCollection(Repository repository, InstantSource clock, LeaseTerms terms, SecureRandom random) {
        this.repository = repository;
        this.clock = clock;
        this.terms = terms;
        this.random = random;
    }

    /**
     * What to do.
     *
     * @param grace how long what is condemned stays at least; with none, a second pass follows at once
     * @param compactBelow packs of which less than this share is needed are emptied into others and deleted: at most 1; 0 for none
     * @param dryRun whether to write and delete nothing
     */
    public record Request(Duration grace, double compactBelow, boolean dryRun) {

        public static final Duration DEFAULT_GRACE = Duration.ofHours(24);

        public Request {
            if (grace.isNegative()) {
                throw new IllegalArgumentException("a grace period of " + grace);
            }
            if (!(compactBelow >= 0 && compactBelow <= 1)) {
                throw new IllegalArgumentException("a share of " + compactBelow);
            }
        }
    }

    /**
     * Runs once.
     *
     * @throws CatalogException if another one runs, or if a descriptor or lease cannot be read
     * @throws io.afterimage.manifest.CorruptManifestException if it cannot be told what a point needs: nothing was deleted then
     */
    public GcReport run(Request request, Progress progress) throws IOException {
        if (request.dryRun()) {
            return pass(request, Optional.empty(), progress);
        }
        try (GcLease lease = GcLease.acquire(repository.store(), clock, terms)) {
            GcReport report = pass(request, Optional.of(lease), progress);
            if (request.grace().isZero() && report.isUnfinished()) {
                report = report.then(pass(request, Optional.of(lease), progress));
            }
            repository.store().removeLeftovers(clock.instant().minus(LONGEST_PUT));
            return report;
        }
    }

    private GcReport pass(Request request, Optional<GcLease> lease, Progress progress) throws IOException {
        return new Pass(repository, clock, terms, random, request, new Changes(repository.store(), lease)).run(progress);
    }
}
