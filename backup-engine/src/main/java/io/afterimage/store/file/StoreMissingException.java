package io.afterimage.store.file;

import java.io.IOException;

/** The root is gone, or another folder stands in its place. */
final class StoreMissingException extends IOException {

    private static final long serialVersionUID = 1;

    StoreMissingException(IOException cause) {
        super("the folder is not there, or not the one that was opened", cause);
    }
}
