package io.afterimage.app;

import java.io.IOException;

/** What went wrong in steps that are all taken, whatever becomes of the others: the first failure counts, the later ones go along with it. */
final class Failures {

    private IOException first;

    interface Step {
        void run() throws IOException;
    }

    /** Takes a step, and keeps what it throws. */
    void attempt(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            add(e);
        }
    }

    void add(IOException failure) {
        if (first == null) {
            first = failure;
        } else {
            first.addSuppressed(failure);
        }
    }

    /** When all is done. */
    void throwFirst() throws IOException {
        if (first != null) {
            throw first;
        }
    }
}
