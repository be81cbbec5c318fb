package io.afterimage.app;

import java.io.IOException;

/** What went wrong in steps that are all taken, whatever becomes of the others: the first failure counts, the later ones go along with it. */
public final class Failures {

    private IOException first;

    /** One of the steps. */
    public interface Step {
        void run() throws IOException;
    }

    /** Takes a step, and keeps what it throws. */
    public void attempt(Step step) {
        try {
            step.run();
        } catch (IOException e) {
            add(e);
        }
    }

    /** Takes a failure of a step that was taken elsewhere. */
    public void add(IOException failure) {
        if (first == null) {
            first = failure;
        } else {
            first.addSuppressed(failure);
        }
    }

    /** When all is done. */
    public void throwFirst() throws IOException {
        if (first != null) {
            throw first;
        }
    }
}
