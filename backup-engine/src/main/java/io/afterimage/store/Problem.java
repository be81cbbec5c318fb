package io.afterimage.store;

/** Why a store did not do what it was asked, in words for its user: the cause and the way out. */
public enum Problem {
    NOT_FOUND("there is no such object"),
    TOO_SHORT("the object ends before the bytes asked for; it is damaged, run verify"),
    TOO_LARGE("the object is larger than any object of its kind may be; it is damaged, run verify"),
    STORE_MISSING("the folder or bucket is not there; check its name and whether it is mounted"),
    OUT_OF_SPACE("no space is left there; make room or raise the quota, then try again"),
    READ_ONLY("it is read-only; make it writable or choose another place"),
    ACCESS_DENIED("access is denied; check the permissions or credentials"),
    UNREACHABLE("the store cannot be reached; check the address, the network and that the server runs"),
    BUSY("the store is overloaded or failed inside; try again later"),
    TIMED_OUT("the store did not answer in time; check the network and try again"),
    BAD_REPLY("the store's answer was cut short or makes no sense; try again, and check what stands between"),
    REFUSED("the store refused the request"),
    FOREIGN("a link, folder or special file stands where the object or its folder belongs; put what it stands for there itself, or move it away"),
    DEVICE_FAILED("reading or writing failed; check the disk and the system's log"),
    INTERRUPTED("the operation was interrupted");

    private final String text;

    Problem(String text) {
        this.text = text;
    }

    /** Whether the words of what was caught tell the user more. */
    boolean isExplainedByCause() {
        return switch (this) {
            case REFUSED, DEVICE_FAILED, UNREACHABLE, ACCESS_DENIED -> true;
            default -> false;
        };
    }

    /** The cause and the way out, without naming the object or the store. */
    public String text() {
        return text;
    }
}
