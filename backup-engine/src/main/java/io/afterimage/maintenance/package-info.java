/**
 * Putting a repository in order while it is used: {@link io.afterimage.maintenance.GarbageCollection} deletes what no point needs. It reads manifests,
 * leases and listings, and no chunk unless it moves it; whoever runs backups or reads points need not know that it runs, but for what the
 * package {@code repository} says of leases and condemnations.
 */
package io.afterimage.maintenance;
