package io.afterimage.store.s3;

import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException.Outcome;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLHandshakeException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;

/**
 * What an exception of the SDK means: the cause for the user, and whether to ask again. Error codes are more exact than the
 * statuses they come with, and are looked at first; stores differ in both.
 */
record S3Failure(Problem problem, Outcome outcome) {

    static S3Failure of(Operation operation, Exception e) {
        return switch (e) {
            case InterruptedException _ -> new S3Failure(Problem.INTERRUPTED, operation.changes() ? Outcome.AMBIGUOUS : Outcome.FATAL);
            case AwsServiceException answer -> ofAnswer(operation, code(answer), answer.statusCode());
            case ApiCallAttemptTimeoutException _, ApiCallTimeoutException _ -> unknownEffect(operation, Problem.TIMED_OUT);
            default -> ofTransport(operation, e);
        };
    }

    /** What the store answered, to a request or about one object of a bulk request. */
    static S3Failure ofAnswer(Operation operation, String code, int status) {
        return switch (code) {
            case "NoSuchKey" -> fatal(Problem.NOT_FOUND);
            case "NoSuchBucket" -> fatal(Problem.STORE_MISSING);
            case "InvalidRange" -> fatal(Problem.TOO_SHORT);
            case "QuotaExceeded", "InsufficientCapacity", "XMinioStorageFull", "EntityTooLarge" -> fatal(Problem.OUT_OF_SPACE);
            case "ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "RequestTimeTooSkewed" -> fatal(Problem.ACCESS_DENIED);
            case "SlowDown", "TooManyRequests", "RequestLimitExceeded" -> noEffect(Problem.BUSY);
            // What was sent did not arrive as it was sent, and was not taken.
            case "BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch", "RequestTimeout" -> noEffect(Problem.BAD_REPLY);
            default -> ofStatus(operation, status);
        };
    }

    private static S3Failure ofStatus(Operation operation, int status) {
        return switch (status) {
            case 401, 403 -> fatal(Problem.ACCESS_DENIED);
            case 413, 507 -> fatal(Problem.OUT_OF_SPACE);
            case 416 -> fatal(Problem.TOO_SHORT);
            case 429, 503 -> noEffect(Problem.BUSY);
            case 408, 500, 502, 504 -> unknownEffect(operation, Problem.BUSY);
            default -> status >= 500 && status != 501 ? unknownEffect(operation, Problem.BUSY) : fatal(Problem.REFUSED);
        };
    }

    private static S3Failure ofTransport(Operation operation, Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            switch (cause) {
                case FoundCredentials.NotFoundException none -> {
                    return none.isFinal() ? fatal(Problem.ACCESS_DENIED) : noEffect(Problem.ACCESS_DENIED);
                }
                case ConnectTimeoutException _, ConnectionRequestTimeoutException _ -> {
                    return noEffect(Problem.TIMED_OUT);
                }
                case SocketTimeoutException _ -> {
                    return unknownEffect(operation, Problem.TIMED_OUT);
                }
                case ConnectException _, NoRouteToHostException _, UnknownHostException _ -> {
                    return noEffect(Problem.UNREACHABLE);
                }
                // A certificate that is not trusted will not be trusted later.
                case SSLHandshakeException _ -> {
                    return fatal(Problem.UNREACHABLE);
                }
                default -> {}
            }
        }
        // Cut off, reset, or not HTTP, or not XML.
        return unknownEffect(operation, Problem.BAD_REPLY);
    }

    /** The error code of an answer; empty if it has none. */
    static String code(AwsServiceException answer) {
        AwsErrorDetails details = answer.awsErrorDetails();
        return details == null || details.errorCode() == null ? "" : details.errorCode();
    }

    private static S3Failure fatal(Problem problem) {
        return new S3Failure(problem, Outcome.FATAL);
    }

    /** The store said, or it is certain, that nothing has happened. */
    private static S3Failure noEffect(Problem problem) {
        return new S3Failure(problem, Outcome.TRANSIENT);
    }

    /** The request was on its way: a PUT or DELETE may have happened. */
    private static S3Failure unknownEffect(Operation operation, Problem problem) {
        return new S3Failure(problem, operation.changes() ? Outcome.AMBIGUOUS : Outcome.TRANSIENT);
    }
}
