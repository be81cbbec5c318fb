package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.ProtocolException;
import io.afterimage.nbd.protocol.StatusExtent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A BLOCK_STATUS; of the contexts that come, the one asked for is kept. */
final class StatusRequest extends Request {

    private final int wanted;
    private final Set<Integer> selected;
    private final long deviceSize;
    private final Set<Integer> seen = new HashSet<>();
    private List<StatusExtent> extents = List.of();

    /**
     * A request for the status in one context.
     *
     * @param wanted id of the context
     * @param selected ids of all contexts that may come
     */
    StatusRequest(long offset, long length, int wanted, Set<Integer> selected, long deviceSize) {
        super(Command.BLOCK_STATUS, offset, length);
        this.wanted = wanted;
        this.selected = selected;
        this.deviceSize = deviceSize;
    }

    @Override
    void status(int context, long[] lengths, long[] flags) throws ProtocolException {
        if (!selected.contains(context) || !seen.add(context)) {
            throw unexpected("the status of a context that was not asked for, or twice the same");
        }
        List<StatusExtent> found = new ArrayList<>();
        long position = offset;
        for (int i = 0; i < lengths.length; i++) {
            // The last extent may reach beyond the request, but not beyond the export.
            if (lengths[i] <= 0 || lengths[i] > deviceSize - position || position >= offset + length) {
                throw unexpected("extents that do not fit");
            }
            if (context == wanted) {
                found.add(new StatusExtent(position, Math.min(lengths[i], offset + length - position), flags[i]));
            }
            position += lengths[i];
        }
        if (context == wanted) {
            extents = found;
        }
    }

    @Override
    void checkComplete() throws ProtocolException {
        if (extents.isEmpty()) {
            throw new ProtocolException("the server leaves out the context in its answer to " + this);
        }
    }

    /** At least one extent from the offset on, none beyond the end; perhaps not all of the range. */
    List<StatusExtent> extents() {
        return extents;
    }
}
