package io.afterimage.nbd.codec;

import io.afterimage.nbd.protocol.HandshakeFlags;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.OptionRequest;
import io.afterimage.nbd.protocol.ProtocolException;
import io.netty.buffer.ByteBuf;
import java.util.Optional;

/**
 * Server side: the client's flags, then its options. Buffers no more than one option of so many bytes; what is longer is skipped
 * up to {@link #LONGEST_SKIPPED} and handed on as oversize, and beyond that the stream is given up.
 */
public final class OptionDecoder {

    /** Longest payload that is kept, unless told otherwise: an export name with 4096 bytes and many queries. */
    public static final int LARGEST = 64 << 10;
    /** No less may be kept: an export name with 4096 bytes, and what goes with it. */
    public static final int SMALLEST_LIMIT = 8 << 10;
    /** Longest payload that is skipped to stay in step with a client. */
    public static final int LONGEST_SKIPPED = 1 << 20;

    private static final byte[] NOTHING = {};
    private static final int HEADER = 16;

    private final int largest;
    private boolean flagsRead;
    private boolean headerRead;
    private int code;
    private int length;
    private int toSkip;

    /** Options are kept up to {@code largest} bytes, from {@link #SMALLEST_LIMIT} to {@link #LONGEST_SKIPPED}. */
    public OptionDecoder(int largest) {
        this.largest = largest;
    }

    /**
     * The client's 32 bits after the greeting.
     *
     * @return nothing while bytes are missing
     */
    public Optional<Integer> clientFlags(ByteBuf in) throws ProtocolException {
        if (in.readableBytes() < 4) {
            return Optional.empty();
        }
        int flags = in.readInt();
        if ((flags & ~HandshakeFlags.KNOWN) != 0) {
            throw new ProtocolException("unknown client flags 0x" + Integer.toHexString(flags));
        }
        flagsRead = true;
        return Optional.of(flags);
    }

    /** Whether the client's flags are behind us. */
    public boolean flagsRead() {
        return flagsRead;
    }

    /** The next option, or nothing while bytes are missing. */
    public Optional<OptionRequest> next(ByteBuf in) throws ProtocolException {
        if (!headerRead) {
            if (in.readableBytes() < HEADER) {
                return Optional.empty();
            }
            long magic = in.readLong();
            if (magic != Magic.OPTION) {
                throw new ProtocolException("bad option magic 0x" + Long.toHexString(magic));
            }
            code = in.readInt();
            length = in.readInt();
            if (Integer.compareUnsigned(length, LONGEST_SKIPPED) > 0) {
                throw new ProtocolException("an option of " + Integer.toUnsignedString(length) + " bytes");
            }
            headerRead = true;
            toSkip = length > largest ? length : 0;
        }
        if (length > largest) {
            int skipped = Math.min(toSkip, in.readableBytes());
            in.skipBytes(skipped);
            toSkip -= skipped;
            if (toSkip > 0) {
                return Optional.empty();
            }
            headerRead = false;
            return Optional.of(new OptionRequest(code, NOTHING, true));
        }
        if (in.readableBytes() < length) {
            return Optional.empty();
        }
        byte[] payload = new byte[length];
        in.readBytes(payload);
        headerRead = false;
        return Optional.of(new OptionRequest(code, payload, false));
    }
}
