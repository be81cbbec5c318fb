package io.afterimage.nbd.protocol;

/** Requests of the transmission phase ("Request types"). */
public enum Command {
    READ(0, CommandFlags.FUA | CommandFlags.DF),
    WRITE(1, CommandFlags.FUA | CommandFlags.PAYLOAD_LEN),
    DISC(2, CommandFlags.FUA),
    FLUSH(3, CommandFlags.FUA),
    TRIM(4, CommandFlags.FUA),
    CACHE(5, CommandFlags.FUA),
    WRITE_ZEROES(6, CommandFlags.FUA | CommandFlags.NO_HOLE | CommandFlags.FAST_ZERO),
    BLOCK_STATUS(7, CommandFlags.FUA | CommandFlags.REQ_ONE | CommandFlags.PAYLOAD_LEN);

    private static final Command[] BY_CODE = values();

    private final int code;
    private final int flags;

    Command(int code, int flags) {
        this.code = code;
        this.flags = flags;
    }

    /** The number on the wire, which is also the place in the list above. */
    public int code() {
        return code;
    }

    /** The flags that may come with it, where negotiated ({@link CommandFlags#FUA} is valid, and mostly idle, everywhere). */
    public int validFlags() {
        return flags;
    }

    /** The command of that number, or null: returned on the path of every request, hence no {@code Optional}. */
    public static Command ofOrNull(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}
