/**
 * File systems of guests, read by libguestfs: a small virtual machine of its own, the appliance, has the disks and mounts them, so that a
 * hostile file system meets a kernel that nobody else uses. {@link io.afterimage.guestfs.Appliance} is the entry. The C library is called
 * as its manual says (guestfs(3)), and by this package alone. Knows of no repository: disks come over NBD.
 */
package io.afterimage.guestfs;
