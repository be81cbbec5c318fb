/**
 * Folders and files of this host as the kernel has them: names that are bytes, links that are not followed, owners, modes, times to the
 * nanosecond, extended attributes of every namespace, device nodes. The JDK's own file API has none of these whole, so the C library is
 * called, which no other package does. {@link io.afterimage.posix.HostFolder} is the entry; {@link io.afterimage.posix.Niceness} and
 * {@link io.afterimage.posix.Processors} are what else the kernel can be told and the JDK cannot tell it. Knows nothing of guests and of backups.
 */
package io.afterimage.posix;
