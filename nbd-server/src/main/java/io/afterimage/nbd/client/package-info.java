/**
 * The NBD client. {@link io.afterimage.nbd.client.NbdClient} connects, {@link io.afterimage.nbd.client.RemoteDevice} is the export
 * as a device. Callers block on threads of their own; all connections share a few event loops, made at first use. A reply is
 * believed only when it accounts for every byte that was asked for, once; anything else ends the connection and fails every
 * request on it.
 */
package io.afterimage.nbd.client;
