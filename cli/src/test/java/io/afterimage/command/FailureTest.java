package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class FailureTest {

    @Test
    void whoRunsOutOfMemoryIsToldWhatToDoWhereverItHappened() {
        Failure failure = Failure.of(new IOException("a chunk could not be read", new ExecutionException(new OutOfMemoryError("Java heap space"))));
        assertTrue(failure.sentence().contains("AFTERIMAGE_HEAP"), failure.sentence());
        assertEquals(failure, Failure.of(new OutOfMemoryError()));
    }

    @Test
    void aDefectIsSaidToBeOne() {
        Failure failure = Failure.of(new InternalError("a fault"));
        assertEquals(ExitCode.INTERNAL, failure.exitCode());
        assertTrue(failure.sentence().contains("a fault") && failure.sentence().contains("--stack-trace"), failure.sentence());
    }
}
