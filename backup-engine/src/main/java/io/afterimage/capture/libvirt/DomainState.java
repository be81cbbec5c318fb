package io.afterimage.capture.libvirt;

/** What a domain does, as far as a backup cares. */
enum DomainState {
    /** It has a process: it runs, sleeps, or was paused by somebody. */
    ACTIVE,
    /** libvirt's {@code VIR_DOMAIN_PAUSED_IOERROR}: a write of the guest's failed, and the guest stands still until it is told to go on. */
    STOPPED_BY_IO_ERROR,
    /** It is off. */
    INACTIVE,
    /** It is off, and not by a shutdown. */
    CRASHED;

    private static final int PAUSED = 3;
    private static final int SHUTOFF = 5;
    private static final int STATE_CRASHED = 6;
    private static final int PAUSED_IOERROR = 5;
    private static final int SHUTOFF_CRASHED = 3;

    /** Whether it has a process. */
    boolean isActive() {
        return this == ACTIVE || this == STOPPED_BY_IO_ERROR;
    }

    /** By {@code virDomainState} and the reason that goes with it. */
    static DomainState of(int state, int reason) {
        return switch (state) {
            case PAUSED -> reason == PAUSED_IOERROR ? STOPPED_BY_IO_ERROR : ACTIVE;
            case SHUTOFF -> reason == SHUTOFF_CRASHED ? CRASHED : INACTIVE;
            case STATE_CRASHED -> CRASHED;
            default -> ACTIVE;
        };
    }
}
