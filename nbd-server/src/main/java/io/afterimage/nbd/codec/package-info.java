/**
 * NBD messages from and to Netty buffers, one coder per phase and direction, and every limit on sizes. A coder knows the
 * layout and what makes a stream meaningless; whether a request is allowed is decided elsewhere. The coders of the
 * transmission phase hold the message read last in their own fields instead of a record each: they run for every request.
 */
package io.afterimage.nbd.codec;
