/**
 * A repository: everything under one prefix of one object store. {@link io.afterimage.repository.Repository} opens and makes
 * them and reads their points; {@link io.afterimage.repository.PointWriter} adds a point.
 *
 * <p>Order of writing: packs, manifest, descriptor. The PUT of the descriptor is the commit: a point that is listed is whole, what
 * is not listed is garbage. Order of deleting: descriptor, manifest, packs.
 *
 * <p>Whoever stores or reads a small object that must be proven, and hidden in an encrypted repository, does so by
 * {@link io.afterimage.repository.Repository#putSealed} and {@code getSealed}. Key slots may be changed beside anything but another change of
 * them ({@link io.afterimage.repository.KeySlots}).
 *
 * <p>What may go on at the same time, on any hosts:
 * <pre>
 *                 backup of A   backup of B   reading A   forgetting points of A   gc
 * backup of A     refused (1)   yes           yes         yes (2)                  yes (3)
 * reading A       yes           yes           yes         open readers go on (4)   yes (4)
 * forgetting A    yes (2)       yes           yes (4)     yes                      yes (5)
 * gc              yes (3)       yes (3)       yes (4)     yes (5)                  refused (1)
 * verifying       yes (6)       yes (6)       yes         yes (7)                  yes (7)
 * </pre>
 * (1) By {@link io.afterimage.catalog.BackupLease} and {@link io.afterimage.catalog.GcLease}. (2) A backup
 * {@linkplain io.afterimage.catalog.BackupLease#hold holds} its parent before it inherits anything, and looks for it once more then. (3) Gc
 * {@linkplain io.afterimage.repository.Condemnation condemns} before it deletes: a backup that began earlier is waited for, one that begins later refers to nothing
 * condemned. (4) {@link io.afterimage.catalog.OpenPoints} names what is open; gc takes it for needed. (5) Gc looks for what is needed in an order that misses no point and none that inherits from it
 * ({@code docs/decisions/0007-visibility-orders-gc.md}). (6) A backup knows the damage that was recorded when it began, {@link io.afterimage.repository.Damage}; what is found later
 * is for the next one. (7) What is missing counts only if the point is there still when all has been looked at, and if no
 * {@linkplain io.afterimage.repository.Moves moves} lead to it.
 */
package io.afterimage.repository;
