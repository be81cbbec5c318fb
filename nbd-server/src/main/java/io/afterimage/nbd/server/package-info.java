/**
 * The NBD server. {@link io.afterimage.nbd.server.NbdServer} is started with {@link io.afterimage.nbd.server.ServerSettings} and
 * an {@link io.afterimage.nbd.server.Exports}, the one thing that the rest of the house implements. It knows nothing of backups.
 *
 * <p>Threads: a connection lives on one event loop. Requests whose bytes are at hand are answered there and then; everything
 * that may block (opening an export, reading, writing, flushing, asking for extents) runs on a virtual thread of its own, and its
 * reply goes back to the loop. Nothing blocks a loop, so a slow device or client delays nobody else.
 */
package io.afterimage.nbd.server;
