package io.afterimage.pack;

import io.afterimage.chunk.PackId;
import java.io.IOException;

/** A pack's header, index or trailer is not what a writer left there. */
public final class CorruptPackException extends IOException {

    private static final long serialVersionUID = 1;

    private final String finding;

    public CorruptPackException(PackId pack, String finding) {
        super("pack " + pack + " is damaged: " + finding);
        this.finding = finding;
    }

    /** What is wrong with it, one clause. */
    public String finding() {
        return finding;
    }
}
