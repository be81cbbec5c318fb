package io.afterimage.block;

import java.io.IOException;

/** A write found no space; what the device held before is whole. */
public final class DeviceFullException extends IOException {

    private static final long serialVersionUID = 1;

    public DeviceFullException(String message, Throwable cause) {
        super(message, cause);
    }
}
