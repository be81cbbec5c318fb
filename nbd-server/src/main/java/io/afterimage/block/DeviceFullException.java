package io.afterimage.block;

import java.io.IOException;
import java.nio.file.Path;

/** A write found no space; what the device held before is whole. */
public final class DeviceFullException extends IOException {

    private static final long serialVersionUID = 1;

    public DeviceFullException(String message, Throwable cause) {
        super(message, cause);
    }

    /** What a write to a file failed with: one of these if the file system, or its owner's quota, has no room for it, else the failure itself. */
    public static IOException orSame(IOException failure, Path file) {
        // The JDK hands errno on as its text alone; the launcher sees to it that it is this one.
        String text = String.valueOf(failure.getMessage());
        return text.equals("No space left on device") || text.equals("Disk quota exceeded")
                ? new DeviceFullException("there is no space left for " + file, failure)
                : failure;
    }
}
