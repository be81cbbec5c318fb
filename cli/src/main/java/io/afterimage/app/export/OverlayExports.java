package io.afterimage.app.export;

import io.afterimage.block.BlockDevice;
import io.afterimage.image.Overlay;
import io.afterimage.image.OverlayLibrary;
import io.afterimage.image.OverlayName;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Contexts;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Exports;
import io.afterimage.overlay.OverlayException;
import io.afterimage.overlay.OverlayException.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The overlays of this host as writable exports called {@code overlay/NAME}, beside all points. What is asked for is looked up then, so an overlay
 * that is made while a server runs is served. A client sees the overlays over machines that it sees. Should there be a machine called {@code overlay}, its
 * disks are to be had with a point: no name of an overlay has an {@code @}.
 */
public final class OverlayExports implements Exports {

    /** What the name of each begins with. */
    public static final String PREFIX = "overlay/";

    private final OverlayLibrary overlays;
    private final PointExports points;
    private final BlockSizes blockSizes;

    public OverlayExports(OverlayLibrary overlays, PointExports points, BlockSizes blockSizes) {
        this.overlays = overlays;
        this.points = points;
        this.blockSizes = blockSizes;
    }

    @Override
    public Iterable<ExportSummary> list(Client client) throws IOException {
        List<ExportSummary> summaries = new ArrayList<>();
        for (Overlay overlay : overlays.list()) {
            if (points.sees(client, overlay.base().machine())) {
                summaries.add(new ExportSummary(PREFIX + overlay.name(), describe(overlay)));
            }
        }
        points.list(client).forEach(summaries::add);
        return summaries;
    }

    private static String describe(Overlay overlay) {
        return "writable, over " + overlay.selector();
    }

    @Override
    public Optional<String> defaultName(Client client) throws IOException {
        return points.defaultName(client);
    }

    @Override
    public boolean admits(Client client, String name) throws IOException {
        Optional<Overlay> overlay = find(name);
        return overlay.isPresent() ? points.sees(client, overlay.get().base().machine()) : points.admits(client, name);
    }

    @Override
    public Optional<Export> open(String name) throws IOException {
        Optional<Overlay> overlay = find(name);
        return overlay.isPresent()
                ? Optional.of(new Export(device(overlay.get()), describe(overlay.get()), Contexts.NONE, blockSizes))
                : points.open(name);
    }

    /** A boot is watched below the overlay: what is read of that itself is on this host anyway. */
    private BlockDevice device(Overlay overlay) throws IOException {
        return overlays.open(overlay, image -> points.watched(image, overlay.base(), overlay.disk()));
    }

    private Optional<Overlay> find(String name) throws IOException {
        String rest = name.startsWith(PREFIX) ? name.substring(PREFIX.length()) : "";
        if (!OverlayName.isValid(rest)) {
            return Optional.empty();
        }
        try {
            return Optional.of(overlays.find(new OverlayName(rest)));
        } catch (OverlayException e) {
            if (e.reason() == Reason.NO_SUCH_OVERLAY) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
