package io.afterimage.manifest;

import java.io.IOException;

/** A manifest is not what a writer left there. */
public final class CorruptManifestException extends IOException {

    private static final long serialVersionUID = 1;

    private final String finding;

    public CorruptManifestException(String finding) {
        this(finding, null);
    }

    public CorruptManifestException(String finding, Throwable cause) {
        super("the manifest is damaged: " + finding, cause);
        this.finding = finding;
    }

    /** What is wrong with it, one clause. */
    public String finding() {
        return finding;
    }
}
