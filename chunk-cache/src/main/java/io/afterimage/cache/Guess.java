package io.afterimage.cache;

/** Learns whether chunks that were fetched before anybody had asked for them were of use. */
@FunctionalInterface
public interface Guess {

    /** For those who do not want to know. */
    Guess UNWATCHED = () -> {};

    /** One of them was read. Called by any thread; must be quick. */
    void used();
}
