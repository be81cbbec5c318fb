package io.afterimage.nbd.server;

import io.afterimage.block.ByteRange;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.IOException;
import java.util.List;

/** Answers for one metadata context of an export. Many threads may ask at once; an answer may block. */
public interface StatusSource {

    /**
     * The status of {@code range}: extents that begin at its offset, follow each other without a gap and end at its end.
     * Neighbours may be equal.
     *
     * @param limit the most extents that the caller wants, at least 1; the answer may end early at that count
     */
    List<StatusExtent> status(ByteRange range, int limit) throws IOException;
}
