package io.afterimage.store.file;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.store.Problem;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class FileFailuresTest {

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({
        "No space left on device, OUT_OF_SPACE",
        "Disk quota exceeded, OUT_OF_SPACE",
        "Read-only file system, READ_ONLY",
        "Operation not permitted, ACCESS_DENIED",
        "Not a directory, FOREIGN",
        "Input/output error, DEVICE_FAILED",
        "Stale file handle, DEVICE_FAILED"
    })
    void theKernelsWordsAreUnderstood(String text, Problem problem) {
        assertEquals(problem, FileFailures.problem(new IOException(text), folder));
        assertEquals(problem, FileFailures.problem(new FileSystemException("file", null, text), folder));
    }

    @Test
    void deniedIsDenied() {
        assertEquals(Problem.ACCESS_DENIED, FileFailures.problem(new AccessDeniedException("file"), folder));
    }
}
