package io.afterimage.store;

import java.time.Duration;

/** Time as it passes and as it is waited for; injected, so that tests of waiting take no time. */
public interface Ticker {

    /** The time of the machine this runs on. */
    Ticker SYSTEM = new Ticker() {
        @Override
        public long nanoTime() {
            return System.nanoTime();
        }

        @Override
        public void sleep(Duration pause) throws InterruptedException {
            Thread.sleep(pause);
        }
    };

    /** Nanoseconds since some fixed instant; only differences mean something. */
    long nanoTime();

    /** Returns when {@code pause} has passed. */
    void sleep(Duration pause) throws InterruptedException;
}
