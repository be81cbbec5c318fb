/**
 * The repository as a tree of files, testable without a kernel: {@link io.afterimage.fuse.tree.RepositoryTree} finds a
 * {@link io.afterimage.fuse.tree.Node} by its path.
 *
 * <pre>
 * web/                                 a machine
 *   20260301T040000.123Z/              one of its points, by when its capture began
 *     vda.raw  vda.p1  vda.p2          a disk, and its partitions
 *     machine/qmp/query-block.json     the captured definition
 *     point.json                       the descriptor
 *   latest -> 20260301T040000.123Z
 *   by-id/019c…  -> ../20260301T040000.123Z
 * </pre>
 *
 * <p>To list a machine costs a listing of its keys, whose ids tell the times, and no descriptor is read. A point's descriptor and manifest are
 * read when something inside it is looked at, and its partition tables when its files are listed or a partition is named. It must not know FUSE.
 */
package io.afterimage.fuse.tree;
