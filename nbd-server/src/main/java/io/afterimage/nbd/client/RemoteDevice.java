package io.afterimage.nbd.client;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.Extent;
import io.afterimage.block.ReadOnlyDeviceException;
import io.afterimage.nbd.protocol.Command;
import io.afterimage.nbd.protocol.CommandFlags;
import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.ReplyForm;
import io.afterimage.nbd.protocol.StatusExtent;
import io.afterimage.nbd.protocol.TransmissionFlags;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * An export of an NBD server as a device. Long reads and writes go out as several requests at once, spread over the connections.
 * Whatever the server does wrong is an {@link IOException}: bytes that it did not send are never made up. A connection that
 * failed stays dead; when all have, so is the device.
 */
public final class RemoteDevice implements BlockDevice {

    /** Pieces of long reads and writes: long enough to be cheap, short enough to be spread. */
    private static final int PIECE = 1 << 20;
    /** A compact request has a length of 32 bits; rounded down to the granularity of dirty bitmaps. */
    private static final long LONGEST_COMPACT = (1L << 32) - (64 << 10);

    private final List<RemoteConnection> connections;
    private final ExportInfo info;
    private final ReplyForm form;
    private final String description;
    private final List<MetaContext> contexts;
    private final Set<Integer> contextIds;

    RemoteDevice(List<RemoteConnection> connections) {
        this.connections = List.copyOf(connections);
        this.info = connections.getFirst().agreed().info();
        this.form = connections.getFirst().agreed().form();
        this.description = connections.getFirst().agreed().description();
        this.contexts = connections.getFirst().agreed().contexts();
        this.contextIds = contexts.stream().map(MetaContext::id).collect(Collectors.toUnmodifiableSet());
    }

    /** What the server told of the export. */
    public ExportInfo info() {
        return info;
    }

    /** The server's words for the export; may be empty. */
    public String description() {
        return description;
    }

    /** The form of replies in use. */
    public ReplyForm form() {
        return form;
    }

    /** How many connections are in use. */
    public int connections() {
        return connections.size();
    }

    /** Names of the selected metadata contexts: those of the options that the server has. */
    public List<String> contexts() {
        return contexts.stream().map(MetaContext::name).toList();
    }

    @Override
    public long size() {
        return info.size();
    }

    @Override
    public boolean canWrite() {
        return !info.can(TransmissionFlags.READ_ONLY);
    }

    @Override
    public boolean canZeroFast() {
        return canWrite() && info.can(TransmissionFlags.SEND_FAST_ZERO);
    }

    @Override
    public void read(long offset, ByteBuffer target) throws IOException {
        checkRange(offset, target.remaining());
        Deque<Sent> sent = new ArrayDeque<>();
        try {
            long position = offset;
            while (target.hasRemaining()) {
                int count = Math.min(piece(), target.remaining());
                ReadRequest request = new ReadRequest(position, target.slice(target.position(), count));
                sent.add(send(request, 0, null));
                target.position(target.position() + count);
                position += count;
            }
            awaitAll(sent);
        } finally {
            // After a failure the caller may use the buffer for something else: nothing may still be written to it.
            sent.forEach(one -> one.request().abandon());
        }
    }

    @Override
    public void write(long offset, ByteBuffer source) throws IOException {
        checkRange(offset, source.remaining());
        requireWritable();
        Deque<Sent> sent = new ArrayDeque<>();
        long position = offset;
        while (source.hasRemaining()) {
            int count = Math.min(piece(), source.remaining());
            sent.add(send(new Request(Command.WRITE, position, count), 0, source.slice(source.position(), count)));
            source.position(source.position() + count);
            position += count;
        }
        awaitAll(sent);
    }

    @Override
    public void zero(ByteRange range, boolean mayFree) throws IOException {
        checkRange(range.offset(), range.length());
        requireWritable();
        if (info.can(TransmissionFlags.SEND_WRITE_ZEROES)) {
            change(Command.WRITE_ZEROES, range, mayFree ? 0 : CommandFlags.NO_HOLE);
        } else {
            ByteBuffer zeros = ByteBuffer.allocate((int) Math.min(PIECE, range.length()));
            for (long at = range.offset(); at < range.end(); at += zeros.capacity()) {
                write(at, zeros.clear().limit((int) Math.min(zeros.capacity(), range.end() - at)));
            }
        }
    }

    @Override
    public void trim(ByteRange range) throws IOException {
        checkRange(range.offset(), range.length());
        requireWritable();
        if (info.can(TransmissionFlags.SEND_TRIM)) {
            change(Command.TRIM, range, 0);
        }
    }

    @Override
    public void flush() throws IOException {
        if (info.can(TransmissionFlags.SEND_FLUSH)) {
            await(send(new Request(Command.FLUSH, 0, 0), 0, null));
        }
    }

    @Override
    public void prefetch(ByteRange range) {
        ByteRange within = range.intersect(new ByteRange(0, size()));
        if (info.can(TransmissionFlags.SEND_CACHE) && !within.isEmpty()) {
            try {
                long length = form == ReplyForm.EXTENDED ? within.length() : Math.min(LONGEST_COMPACT, within.length());
                pick().hint(new Request(Command.CACHE, within.offset(), length));
            } catch (IOException _) {
                // A hint that cannot be given is none; the read that follows will say what is wrong.
            }
        }
    }

    @Override
    public List<Extent> extents(ByteRange range, int limit) throws IOException {
        checkRange(range.offset(), range.length());
        if (!contexts().contains(MetaContext.BASE_ALLOCATION)) {
            return BlockDevice.super.extents(range, limit);
        }
        List<Extent> extents = new ArrayList<>();
        for (StatusExtent status : status(MetaContext.BASE_ALLOCATION, range, limit)) {
            boolean zero = (status.flags() & MetaContext.STATE_ZERO) != 0;
            boolean hole = (status.flags() & MetaContext.STATE_HOLE) != 0;
            Extent.Kind kind = !zero ? Extent.Kind.DATA : hole ? Extent.Kind.HOLE : Extent.Kind.ZERO;
            Extent last = extents.isEmpty() ? null : extents.getLast();
            if (last != null && last.kind() == kind) {
                extents.removeLast();
                extents.add(new Extent(ByteRange.between(last.range().offset(), status.range().end()), kind));
            } else {
                extents.add(new Extent(status.range(), kind));
            }
        }
        return extents;
    }

    /**
     * The status of all of {@code range} in one of the {@link #contexts}; extents adjoin, and equal neighbours are joined.
     *
     * @throws IllegalArgumentException if the context was not selected
     */
    public List<StatusExtent> status(String context, ByteRange range) throws IOException {
        return status(context, range, Integer.MAX_VALUE);
    }

    private List<StatusExtent> status(String context, ByteRange range, int limit) throws IOException {
        checkRange(range.offset(), range.length());
        int id = contexts.stream()
                .filter(selected -> selected.name().equals(context))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the server has not granted the context " + context))
                .id();
        List<StatusExtent> extents = new ArrayList<>();
        long position = range.offset();
        while (position < range.end()) {
            long length = range.end() - position;
            StatusRequest request = new StatusRequest(
                    position, form == ReplyForm.EXTENDED ? length : Math.min(LONGEST_COMPACT, length), id, contextIds, size());
            await(send(request, 0, null));
            for (StatusExtent extent : request.extents()) {
                StatusExtent last = extents.isEmpty() ? null : extents.getLast();
                if (last != null && last.flags() == extent.flags()) {
                    extents.removeLast();
                    ByteRange joined = ByteRange.between(last.range().offset(), extent.range().end());
                    extents.add(new StatusExtent(joined, extent.flags()));
                } else if (extents.size() == limit) {
                    return extents;
                } else {
                    extents.add(extent);
                }
                position = extent.range().end();
            }
        }
        return extents;
    }

    /** Takes leave of the server. Requests that are still awaited fail. */
    @Override
    public void close() {
        connections.forEach(RemoteConnection::close);
    }

    private record Sent(RemoteConnection connection, Request request) {}

    private int piece() {
        int minimum = info.blockSizes().minimum();
        return Math.max(minimum, Math.min(PIECE, info.blockSizes().maximum()) / minimum * minimum);
    }

    private void change(Command command, ByteRange range, int flags) throws IOException {
        long longest = form == ReplyForm.EXTENDED ? Long.MAX_VALUE : LONGEST_COMPACT;
        for (long at = range.offset(); at < range.end(); ) {
            long length = Math.min(longest, range.end() - at);
            await(send(new Request(command, at, length), flags, null));
            at += length;
        }
    }

    private Sent send(Request request, int flags, ByteBuffer payload) throws IOException {
        RemoteConnection connection = pick();
        connection.send(request, flags, payload);
        return new Sent(connection, request);
    }

    private RemoteConnection pick() throws IOException {
        return connections.stream()
                .filter(RemoteConnection::isOpen)
                .max(Comparator.comparingInt(RemoteConnection::idle))
                .orElseThrow(() -> new EOFException("the connection to the NBD server is lost"));
    }

    private static void awaitAll(Deque<Sent> sent) throws IOException {
        for (Sent one : sent) {
            await(one);
        }
    }

    private static void await(Sent sent) throws IOException {
        try {
            sent.connection().await(sent.request());
        } catch (NbdErrorException e) {
            throw switch (e.error()) {
                case EPERM -> withCause(new ReadOnlyDeviceException(), e);
                case ENOSPC -> new DeviceFullException(e.getMessage(), e);
                default -> e;
            };
        }
    }

    private static IOException withCause(IOException exception, Throwable cause) {
        exception.initCause(cause);
        return exception;
    }

    private void requireWritable() throws ReadOnlyDeviceException {
        if (!canWrite()) {
            throw new ReadOnlyDeviceException();
        }
    }
}
