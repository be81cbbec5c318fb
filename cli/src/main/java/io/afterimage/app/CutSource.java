package io.afterimage.app;

import io.afterimage.block.ByteRange;
import io.afterimage.capture.SourceDisk;
import io.afterimage.capture.qemu.Changes;
import io.afterimage.manifest.DiskName;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import java.io.Closeable;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** One disk of a cut, connected to: what is to be read, and where. Close it when the point is stored. */
final class CutSource implements Closeable {

    private static final long DIRTY = 1;
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
     * @param hasParent whether there is a reason to be told when the disk is read whole
     */
    static CutSource open(DiskName name, URI uri, Changes changes, boolean hasParent) throws IOException {
        ClientOptions options = ClientOptions.DEFAULT.withConnections(CONNECTIONS);
        NbdUri export = NbdUri.parse(uri.toString());
        return switch (changes) {
            case Changes.Recorded recorded -> {
                RemoteDevice device = NbdClient.connect(export, options.withContexts(MetaContext.BASE_ALLOCATION, recorded.context()));
                yield new CutSource(device, SourceDisk.changed(name, device, dirty(device, recorded.context())));
            }
            case Changes.Unknown unknown -> {
                RemoteDevice device = NbdClient.connect(export, options);
                yield new CutSource(device, SourceDisk.whole(name, device, hasParent ? Optional.of(unknown.reason()) : Optional.empty()));
            }
        };
    }

    private static List<ByteRange> dirty(RemoteDevice device, String context) throws IOException {
        List<ByteRange> ranges = new ArrayList<>();
        try {
            for (StatusExtent extent : device.status(context, new ByteRange(0, device.size()))) {
                if ((extent.flags() & DIRTY) != 0) {
                    ranges.add(extent.range());
                }
            }
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
        return ranges;
    }

    SourceDisk disk() {
        return disk;
    }

    @Override
    public void close() {
        device.close();
    }
}
