/**
 * Bytes at an offset, by the JDK alone. {@link io.afterimage.block.BlockDevice} is what NBD serves, capture reads, FUSE
 * shows, an overlay stands on and a restore writes. Nothing here knows of protocols, repositories or backups.
 */
package io.afterimage.block;
