package io.afterimage.block;

import java.io.IOException;

/** A device was asked to change bytes that cannot be changed. */
public final class ReadOnlyDeviceException extends IOException {

    private static final long serialVersionUID = 1;

    public ReadOnlyDeviceException() {
        super("the device is read-only");
    }
}
