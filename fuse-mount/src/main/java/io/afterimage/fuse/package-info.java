/**
 * The past as a folder: {@link io.afterimage.fuse.RepositoryMount} shows the points of a repository at a folder until it is unmounted. Below it,
 * {@code fuse.partition} finds partitions, {@code fuse.tree} makes files of points, and {@code fuse.jnr} speaks with libfuse. It is the
 * module's face; programs need nothing below it.
 */
package io.afterimage.fuse;
