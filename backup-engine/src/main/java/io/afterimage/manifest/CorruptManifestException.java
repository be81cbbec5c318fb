package io.afterimage.manifest;

import java.io.IOException;

/** A manifest is not what a writer left there. */
public final class CorruptManifestException extends IOException {

    private static final long serialVersionUID = 1;

    public CorruptManifestException(String finding) {
        this(finding, null);
    }

    public CorruptManifestException(String finding, Throwable cause) {
        super("the manifest is damaged: " + finding, cause);
    }
}
