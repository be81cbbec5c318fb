package io.afterimage.command;

/** How a command ended, for scripts. The numbers are a promise ({@code docs/operations.md}). */
public enum ExitCode {
    OK(0),
    /** A defect, or an error that nobody has thought of. */
    INTERNAL(1),
    /** The command line is not right. */
    USAGE(2),
    /** There is no such machine, point or disk, or several. */
    NOT_FOUND(3),
    /** There is no repository there, or not one that can be used. */
    REPOSITORY(4),
    /** What was to be backed up cannot be read. */
    SOURCE(5),
    /** Where something was to be written or served cannot take it. */
    TARGET(6),
    /** The object store failed: full, read-only, not reachable. */
    STORE(7),
    /** Something stored is damaged. */
    CORRUPT(8),
    /** Somebody else is at it: another backup of the machine, another garbage collection. Or the point is protected or immutable. */
    BUSY(9),
    /** The repository is encrypted and the key is not there or does not fit; or it is not, and there is one. */
    KEY(10),
    /** Done, but for some of it, which was listed: files of a guest that cannot be read. */
    INCOMPLETE(11);

    private final int number;

    ExitCode(int number) {
        this.number = number;
    }

    public int number() {
        return number;
    }
}
