/**
 * Disks of the past: {@link io.afterimage.image.ImageLibrary} opens a disk at a point as a
 * {@link io.afterimage.block.BlockDevice}. This is the module's face; servers, mounts and restores need nothing below it.
 */
package io.afterimage.image;
