package io.afterimage.capture;

/** Told how far long work has come. Called by any thread, often; must be quick. */
public interface Progress {

    /** Tells nobody. */
    Progress NONE = new Progress() {
        @Override
        public void total(long bytes) {}

        @Override
        public void advance(long bytes) {}
    };

    /** There is this much to do, as far as is known by now; may be corrected later. */
    void total(long bytes);

    /** This much more is done. */
    void advance(long bytes);
}
