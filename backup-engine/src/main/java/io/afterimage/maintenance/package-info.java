/**
 * Putting a repository in order while it is used: {@link io.afterimage.maintenance.GarbageCollection} deletes what no point needs. It reads manifests,
 * leases and listings, and no chunk unless it moves it; whoever runs backups or reads points need not know that it runs, but for what the
 * package {@code repository} says of leases and condemnations. {@link io.afterimage.maintenance.Verification} reads again what points need and records
 * what is damaged; the next backup heals it. It reads through no cache: what is verified is the store.
 */
package io.afterimage.maintenance;
