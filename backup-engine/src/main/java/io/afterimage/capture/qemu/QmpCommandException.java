package io.afterimage.capture.qemu;

/** QEMU is there and answered a command with an error. The command has changed nothing. */
public final class QmpCommandException extends QmpException {

    private static final long serialVersionUID = 1L;

    private final String command;
    private final String errorClass;
    private final String description;

    QmpCommandException(String command, String errorClass, String description) {
        super("QEMU refused '" + command + "': " + description);
        this.command = command;
        this.errorClass = errorClass;
        this.description = description;
    }

    /** The command as QMP spells it, such as {@code blockdev-add}. */
    public String command() {
        return command;
    }

    /** QMP's error class: {@code GenericError}, {@code CommandNotFound}, {@code DeviceNotFound}, ... */
    public String errorClass() {
        return errorClass;
    }

    /** QEMU's own words; not meant to be parsed. */
    public String description() {
        return description;
    }
}
