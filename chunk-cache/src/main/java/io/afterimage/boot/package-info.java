/**
 * Boots that know what comes next: {@link io.afterimage.boot.BootProfiling} watches a device, records what a boot reads, and has the device fetch ahead what
 * the boot before has read. Works on any {@link io.afterimage.block.BlockDevice} that heeds {@code prefetch}; must not know of chunks' places, caches or servers.
 */
package io.afterimage.boot;
