package io.afterimage.store.s3;

import io.afterimage.store.ObjectKey;
import io.afterimage.store.Operation;
import io.afterimage.store.Problem;
import io.afterimage.store.StoreException;
import io.afterimage.store.StoreException.Outcome;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/** Takes in the body of a GET: the bytes that were asked for, as many, and no others. */
record ObjectBytes(ObjectKey key, String store) {

    /** {@code bytes first-last/total}, RFC 9110 section 14.4; the total may be {@code *}. */
    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

    private static final int TRANSFER_BYTES = 64 << 10;
    /** The JDK lays out as much direct memory as a read of a socket may take. */
    private static final int LONGEST_READ = 128 << 10;

    /** Fills {@code target} with the range of that length from {@code offset} on. */
    ResponseTransformer<GetObjectResponse, Void> range(long offset, ByteBuffer target) {
        return (response, body) -> {
            checkRange(response, offset, target.remaining());
            fill(target, body);
            return null;
        };
    }

    ResponseTransformer<GetObjectResponse, byte[]> whole(int maxBytes) {
        return (response, body) -> {
            long length = Optional.ofNullable(response.contentLength()).orElseThrow(() -> failure(Problem.BAD_REPLY, Outcome.FATAL));
            if (length > maxBytes) {
                throw failure(Problem.TOO_LARGE, Outcome.FATAL);
            }
            ByteBuffer content = ByteBuffer.allocate(Math.toIntExact(length));
            fill(content, body);
            return content.array();
        };
    }

    /** A store, or a proxy before it, that does not know ranges sends the whole; one that does sends what there is of the range. */
    private void checkRange(GetObjectResponse response, long offset, long length) throws StoreException {
        Matcher range = CONTENT_RANGE.matcher(String.valueOf(response.contentRange()));
        if (!range.matches() || Long.parseLong(range.group(1)) != offset) {
            throw failure(Problem.BAD_REPLY, Outcome.TRANSIENT);
        }
        long end = Long.parseLong(range.group(2)) + 1;
        if (end < offset + length) {
            boolean allThereIs = !range.group(3).equals("*") && Long.parseLong(range.group(3)) == end;
            throw allThereIs ? failure(Problem.TOO_SHORT, Outcome.FATAL) : failure(Problem.BAD_REPLY, Outcome.TRANSIENT);
        }
    }

    private void fill(ByteBuffer target, InputStream body) throws IOException {
        if (target.hasArray()) {
            while (target.hasRemaining()) {
                int count = body.read(target.array(), target.arrayOffset() + target.position(), Math.min(LONGEST_READ, target.remaining()));
                if (count < 0) {
                    throw failure(Problem.BAD_REPLY, Outcome.TRANSIENT);
                }
                target.position(target.position() + count);
            }
            return;
        }
        byte[] transfer = new byte[Math.min(TRANSFER_BYTES, target.remaining())];
        while (target.hasRemaining()) {
            int count = body.read(transfer, 0, Math.min(transfer.length, target.remaining()));
            if (count < 0) {
                throw failure(Problem.BAD_REPLY, Outcome.TRANSIENT);
            }
            target.put(transfer, 0, count);
        }
    }

    private StoreException failure(Problem problem, Outcome outcome) {
        return new StoreException(Operation.GET, key.value(), store, problem, outcome, null);
    }
}
