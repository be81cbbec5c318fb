package io.afterimage.nbd.protocol;

import java.nio.charset.StandardCharsets;

/**
 * One answer to an option.
 *
 * @param option the number of the option that is answered
 * @param type the number of the {@link ReplyType}
 * @param payload its bytes; not copied, not to be changed
 */
@SuppressWarnings("ArrayRecordComponent") // a frame that is handed on once; never compared
public record OptionReply(int option, int type, byte[] payload) {

    public boolean isError() {
        return ReplyType.isError(type);
    }

    public boolean is(ReplyType wanted) {
        return type == wanted.code();
    }

    /** The words that came with an error; empty when there were none. */
    public String text() {
        return new String(payload, StandardCharsets.UTF_8);
    }
}
