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
 *                 backup of A   backup of B   reading A   deleting points of A
 * backup of A     refused (1)   yes           yes         yes (2)
 * reading A       yes           yes           yes         open readers go on (3)
 * verifying       yes (4)       yes (4)       yes         yes (5)
 * </pre>
 * (1) by {@link io.afterimage.catalog.BackupLease}. (2) A new point needs no other one: only the packs that its own manifest names, which are
 * never deleted with a point. (3) Deleting a point removes its descriptor and manifest; a reader took the manifest over when it opened the
 * point, and the packs stay. (4) A backup knows the damage that was recorded when it began, {@link io.afterimage.repository.Damage}; what is found later is for the
 * next one. (5) What is missing counts only if the point is there still when all has been looked at, and if no {@linkplain io.afterimage.repository.Moves moves}
 * lead to it.
 */
package io.afterimage.repository;
