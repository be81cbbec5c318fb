/**
 * The kernel's side: libfuse 2 through jnr-fuse, which nobody else imports. {@link io.afterimage.fuse.jnr.FuseSession} shows a tree at a folder.
 *
 * <p>The loop that takes requests from the kernel is ours and runs on Java threads, not libfuse's own: those are made and ended as the load changes, and
 * each of their calls into Java would attach a thread to the JVM and detach it again, which costs more than a read.
 */
package io.afterimage.fuse.jnr;
