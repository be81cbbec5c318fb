package io.afterimage.chunk;

import java.nio.ByteBuffer;
import java.util.Optional;

/** What is left of a frame that does not verify. */
public final class FrameHeader {

    private FrameHeader() {}

    /**
     * The chunk that the frame says to hold, if its header is that of the frame asked for. Nothing proves it; in an encrypted repository it is not to be
     * used, since there somebody may have written it to lead astray.
     *
     * @param frame bytes from a store, the frame beginning at {@code offset}
     */
    public static Optional<ChunkId> claimedChunk(byte[] frame, int offset, ChunkAddress address) {
        if (frame.length - offset < FrameCodec.HEADER_LENGTH) {
            return Optional.empty();
        }
        ByteBuffer header = ByteBuffer.wrap(frame, offset, FrameCodec.HEADER_LENGTH);
        boolean isThisOne = header.getInt() == FrameCodec.MAGIC
                && header.position(offset + 12).getInt() == address.offset()
                && PackId.get(header).equals(address.pack());
        return isThisOne ? Optional.of(ChunkId.get(header)) : Optional.empty();
    }
}
