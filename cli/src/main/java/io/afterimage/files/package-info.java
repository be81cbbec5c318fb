/**
 * The files of a guest, as far as they can be had from a {@link io.afterimage.files.FileTree}: copied out with everything that belongs to
 * them ({@link io.afterimage.files.Extraction}) and compared with those of another point ({@link io.afterimage.files.TreeDifference}).
 * All that a tree says is a stranger's: names, sizes, targets of links, numbers. Knows of no engine that reads file systems, and of no
 * repository.
 */
package io.afterimage.files;
