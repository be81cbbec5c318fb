package io.afterimage.store.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.store.Operation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class S3FailureTest {

    @ParameterizedTest
    @CsvSource({
        "GET, NoSuchKey, 404, NOT_FOUND, FATAL",
        "PUT, NoSuchBucket, 404, STORE_MISSING, FATAL",
        "GET, '', 404, REFUSED, FATAL",
        "GET, InvalidRange, 416, TOO_SHORT, FATAL",
        "PUT, AccessDenied, 403, ACCESS_DENIED, FATAL",
        "PUT, '', 403, ACCESS_DENIED, FATAL",
        "GET, ExpiredToken, 400, ACCESS_DENIED, FATAL",
        "PUT, QuotaExceeded, 403, OUT_OF_SPACE, FATAL",
        "PUT, '', 507, OUT_OF_SPACE, FATAL",
        "PUT, NotImplemented, 501, REFUSED, FATAL",
        "PUT, MalformedXML, 400, REFUSED, FATAL",
        "PUT, SlowDown, 503, BUSY, TRANSIENT",
        "GET, '', 429, BUSY, TRANSIENT",
        "GET, InternalError, 500, BUSY, TRANSIENT",
        "LIST, '', 504, BUSY, TRANSIENT",
        "PUT, InternalError, 500, BUSY, AMBIGUOUS",
        "DELETE, '', 502, BUSY, AMBIGUOUS",
        "PUT, '', 520, BUSY, AMBIGUOUS",
        "PUT, BadDigest, 400, BAD_REPLY, TRANSIENT",
        "PUT, RequestTimeout, 400, BAD_REPLY, TRANSIENT"
    })
    void answersAreClassified(Operation operation, String code, int status, String problem, String outcome) {
        S3Failure failure = S3Failure.ofAnswer(operation, code, status);
        assertEquals(problem + ' ' + outcome, failure.problem() + " " + failure.outcome());
    }
}
