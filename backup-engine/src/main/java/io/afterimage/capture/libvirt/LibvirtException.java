package io.afterimage.capture.libvirt;

import java.io.IOException;

/** A libvirt that is missing, cannot be reached, or refuses; the message is one sentence for the user. */
public final class LibvirtException extends IOException {

    private static final long serialVersionUID = 1L;

    private final Refusal refusal;

    public LibvirtException(String message) {
        this(message, Refusal.OTHER);
    }

    public LibvirtException(String message, Throwable cause) {
        super(message, cause);
        this.refusal = Refusal.OTHER;
    }

    LibvirtException(String message, Refusal refusal) {
        super(message);
        this.refusal = refusal;
    }

    Refusal refusal() {
        return refusal;
    }

    /** The refusals that are answers, not failures; by their number in {@code virErrorNumber}. */
    enum Refusal {
        NO_DOMAIN(42),
        OPERATION_INVALID(55),
        AGENT_UNRESPONSIVE(86),
        NO_DOMAIN_CHECKPOINT(103),
        NO_DOMAIN_BACKUP(104),
        CHECKPOINT_INCONSISTENT(109),
        OTHER(0);

        private final int code;

        Refusal(int code) {
            this.code = code;
        }

        static Refusal of(int code) {
            for (Refusal refusal : values()) {
                if (refusal.code == code) {
                    return refusal;
                }
            }
            return OTHER;
        }
    }
}
