package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;

/**
 * Who takes a server's replies from {@link ReplyDecoder}. A method throws {@link ProtocolException} when what it is told cannot
 * be true of the request with that cookie, an unknown cookie above all.
 */
public interface ReplySink {

    /**
     * A simple reply.
     *
     * @return the bytes of data that follow it: the length of the read if there was no error, else 0
     */
    int simple(long cookie, int error) throws ProtocolException;

    /** A chunk with {@code length} bytes of data for {@code position} begins; all of them come by {@link #data}. */
    void dataBegins(long cookie, long position, int length) throws ProtocolException;

    /** The next {@code count} bytes of the data that began last; all are to be taken from {@code in}. */
    void data(ByteBuf in, int count) throws ProtocolException;

    void hole(long cookie, long position, long length) throws ProtocolException;

    /** Extents of one context from the request's offset on, as lengths and flags of equal count, at least one. */
    void status(long cookie, int context, long[] lengths, long[] flags) throws ProtocolException;

    void error(long cookie, int error, String text) throws ProtocolException;

    /** With extended headers each chunk names the request's offset. */
    void requestOffset(long cookie, long offset) throws ProtocolException;

    /** No more chunks come for this cookie. */
    void done(long cookie) throws ProtocolException;
}
