package io.afterimage.fetch;

import io.afterimage.chunk.ChunkAddress;
import java.io.IOException;
import java.time.Duration;

/** The store has not delivered in the time that a read waits. What was asked for may well be there: the next read asks again. */
public final class ReadTimeoutException extends IOException {

    private static final long serialVersionUID = 1;

    ReadTimeoutException(ChunkAddress address, Duration patience) {
        super("The store has not delivered chunk " + address + " within " + patience.toMillis() / 1000.0
                + " s (--read-timeout); see that it can be reached, reads work again as soon as it can.");
    }
}
