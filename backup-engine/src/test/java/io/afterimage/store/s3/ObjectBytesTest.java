package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.StoreException;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.http.AbortableInputStream;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

final class ObjectBytesTest {

    private final ObjectBytes bytes = new ObjectBytes(new ObjectKey("a"), "store");

    @ParameterizedTest
    @CsvSource({
        "bytes 10-19/100, 10, ''",
        "bytes 10-19/*, 10, ''",
        "bytes 10-19/100, 9, BAD_REPLY TRANSIENT",
        "bytes 10-18/19, 10, TOO_SHORT FATAL",
        "bytes 10-18/100, 10, BAD_REPLY TRANSIENT",
        "bytes 10-18/*, 10, BAD_REPLY TRANSIENT",
        "bytes 0-9/100, 10, BAD_REPLY TRANSIENT",
        "bytes 10-9999999999999999999999/*, 10, BAD_REPLY TRANSIENT",
        "items 10-19/100, 10, BAD_REPLY TRANSIENT",
        ", 10, BAD_REPLY TRANSIENT"
    })
    void aRangeIsTheOneAskedFor(String contentRange, int length, String failure) throws Exception {
        GetObjectResponse response = GetObjectResponse.builder().contentRange(contentRange).build();
        ByteBuffer target = ByteBuffer.allocate(10);
        assertEquals(failure, outcome(() -> bytes.range(10, target).transform(response, body(length))));
    }

    @ParameterizedTest
    @CsvSource({"10, 10, ''", "10, 9, BAD_REPLY TRANSIENT", "11, 11, TOO_LARGE FATAL", "9223372036854775807, 5, TOO_LARGE FATAL", ", 5, BAD_REPLY FATAL"})
    void aWholeObjectHasTheLengthAnnounced(Long announced, int length, String failure) throws Exception {
        GetObjectResponse response = GetObjectResponse.builder().contentLength(announced).build();
        assertEquals(failure, outcome(() -> bytes.whole(10).transform(response, body(length))));
    }

    @Test
    void contentIsReadFromAllBuffers() throws Exception {
        BufferedContent content = new BufferedContent(ByteBuffer.wrap(new byte[] {0, 1, 2}, 1, 2), ByteBuffer.allocate(0), ByteBuffer.wrap(new byte[] {3, -1}));
        assertEquals(4, content.length());
        for (int again = 0; again < 2; again++) {
            assertArrayEquals(new byte[] {1, 2, 3, -1}, content.body().contentStreamProvider().newStream().readAllBytes());
            try (var stream = content.body().contentStreamProvider().newStream()) {
                assertEquals(1, stream.read());
                assertEquals(2, stream.read());
                assertEquals(3, stream.read());
                assertEquals(255, stream.read());
                assertEquals(-1, stream.read());
            }
        }
    }

    private interface Transformation {
        Object run() throws Exception;
    }

    private static String outcome(Transformation transformation) throws Exception {
        try {
            transformation.run();
            return "";
        } catch (StoreException e) {
            return e.problem() + " " + e.outcome();
        }
    }

    private static AbortableInputStream body(int length) {
        return AbortableInputStream.create(new ByteArrayInputStream(new byte[length]));
    }
}
