package io.afterimage.nbd.protocol;

import java.util.Optional;

/** What a client may ask during the handshake ("Option types"). */
public enum Option {
    EXPORT_NAME(1),
    ABORT(2),
    LIST(3),
    STARTTLS(5),
    INFO(6),
    GO(7),
    STRUCTURED_REPLY(8),
    LIST_META_CONTEXT(9),
    SET_META_CONTEXT(10),
    EXTENDED_HEADERS(11);

    private static final Option[] BY_CODE = new Option[12];

    static {
        for (Option option : values()) {
            BY_CODE[option.code] = option;
        }
    }

    private final int code;

    Option(int code) {
        this.code = code;
    }

    public int code() {
        return code;
    }

    /** The option of that number, or nothing for one that is not known here. */
    public static Optional<Option> of(int code) {
        return code >= 0 && code < BY_CODE.length ? Optional.ofNullable(BY_CODE[code]) : Optional.empty();
    }
}
