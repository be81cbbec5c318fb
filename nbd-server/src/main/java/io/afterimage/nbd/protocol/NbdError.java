package io.afterimage.nbd.protocol;

/** Error values of the transmission phase ("Error values"). */
public enum NbdError {
    EPERM(1, "operation not permitted"),
    EIO(5, "input/output error"),
    ENOMEM(12, "out of memory"),
    EINVAL(22, "invalid request"),
    ENOSPC(28, "no space left"),
    EOVERFLOW(75, "request too large"),
    ENOTSUP(95, "operation not supported"),
    ESHUTDOWN(108, "the server is shutting down");

    private final int code;
    private final String meaning;

    NbdError(int code, String meaning) {
        this.code = code;
        this.meaning = meaning;
    }

    public int code() {
        return code;
    }

    /** One short phrase for people. */
    public String meaning() {
        return meaning;
    }

    /** The error of that number; numbers that the protocol does not define count as {@link #EINVAL}, as it demands. */
    public static NbdError of(int code) {
        for (NbdError error : values()) {
            if (error.code == code) {
                return error;
            }
        }
        return EINVAL;
    }
}
