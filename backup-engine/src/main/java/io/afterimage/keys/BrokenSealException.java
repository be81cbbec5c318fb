package io.afterimage.keys;

import io.afterimage.store.ObjectKey;
import java.io.IOException;

/** An object of an encrypted repository is not what was sealed at its place. No byte of it has been handed out. */
public final class BrokenSealException extends IOException {

    private static final long serialVersionUID = 1;

    public BrokenSealException(ObjectKey key) {
        super("The object " + key + " is not what this repository's key has sealed there: it is damaged, or was put there from another"
                + " place; put it back from a copy of the repository");
    }
}
