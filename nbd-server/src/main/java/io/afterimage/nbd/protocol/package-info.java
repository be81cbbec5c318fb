/**
 * The NBD protocol as data: magics, numbers, flags, records and URIs, named as in the NBD project's {@code doc/proto.md}
 * (and its extension-ext-header branch). No input or output, no Netty, no policy: what is legal is said here, who may do
 * what is decided by negotiation and server.
 */
package io.afterimage.nbd.protocol;
