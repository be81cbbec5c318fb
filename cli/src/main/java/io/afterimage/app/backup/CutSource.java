package io.afterimage.app.backup;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.capture.Pace;
import io.afterimage.capture.PacedDevice;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.Manifest;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One disk of a cut, connected to: what is to be read, and where. Close it when the point is stored. */
final class CutSource implements Closeable {

    private static final int CONNECTIONS = 2;

    private final RemoteDevice device;
    private final SourceDisk disk;

    private CutSource(RemoteDevice device, SourceDisk disk) {
        this.device = device;
        this.disk = disk;
    }

    /**
     * Connects.
     *
     * @param uri where the cut exports the disk
     * @param parent what the point builds on: without one there is no reason to be told when the disk is read whole
     * @param pace at which the disk is to be read
     */
    static CutSource open(DiskName name, URI uri, Changes changes, Optional<Manifest> parent, Pace pace)
            throws IOException {
        RemoteDevice device = connect(uri, changes);
        try {
            BlockDevice read = new SourceDevice(name, new PacedDevice(device, pace));
            SourceDisk disk = switch (changes) {
                case Changes.Recorded recorded -> {
                    List<ByteRange> ranges = new ArrayList<>(ChangedRanges.flagged(device, recorded.context()));
                    if (recorded.above().isPresent()) {
                        ranges.addAll(allocated(name, device, recorded.above().get(), parent));
                    }
                    yield SourceDisk.changed(name, read, ByteRange.union(ranges));
                }
                case Changes.Allocated allocated -> SourceDisk.changed(name, read, allocated(name, device, allocated, parent));
                case Changes.Unknown unknown -> SourceDisk.whole(name, read, parent.map(_ -> unknown.reason()));
            };
            return new CutSource(device, disk.at(pace));
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    private static RemoteDevice connect(URI uri, Changes changes) throws IOException {
        ClientOptions options = ClientOptions.DEFAULT.withConnections(CONNECTIONS);
        return NbdClient.connect(NbdUri.parse(uri.toString()), switch (changes) {
            case Changes.Recorded recorded when recorded.above().isPresent() ->
                options.withContexts(MetaContext.BASE_ALLOCATION, recorded.context(), recorded.above().get().context());
            case Changes.Recorded recorded -> options.withContexts(MetaContext.BASE_ALLOCATION, recorded.context());
            case Changes.Allocated allocated -> options.withContexts(MetaContext.BASE_ALLOCATION, allocated.context());
            case Changes.Unknown _ -> options;
        });
    }

    private static List<ByteRange> allocated(DiskName name, RemoteDevice device, Changes.Allocated allocated, Optional<Manifest> parent)
            throws IOException {
        long size = parent.flatMap(manifest -> manifest.disk(name)).orElseThrow().size();
        return ChangedRanges.above(device, allocated.context(), allocated.above(), size);
    }

    SourceDisk disk() {
        return disk;
    }

    @Override
    public void close() {
        device.close();
    }
}
