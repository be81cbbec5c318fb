package io.afterimage.app.export;

import io.afterimage.app.restore.RestoreDisk;
import io.afterimage.block.BlockDevice;
import io.afterimage.boot.BootProfiling;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.Selector;
import io.afterimage.image.ImageLibrary;
import io.afterimage.image.ManifestAhead;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Exports;
import io.afterimage.settings.AllowList;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Every disk of every point as an NBD export; the export's name is its selector. What is asked for is looked up in the store then.
 * With an allow list, a client sees what its certificate admits it to: another's machine is for it one that is not there.
 */
public final class PointExports implements Exports {

    private final Catalog catalog;
    private final ImageLibrary images;
    private final BlockSizes blockSizes;
    private final Optional<AllowList> allowed;
    private final Optional<BootProfiling> profiling;

    /** All of them, for everybody. */
    public PointExports(Catalog catalog, ImageLibrary images) {
        this(catalog, images, BlockSizes.DEFAULT, Optional.empty(), Optional.empty());
    }

    /** @param profiling watches what is exported for boots, if that is wanted */
    public PointExports(
            Catalog catalog, ImageLibrary images, BlockSizes blockSizes, Optional<AllowList> allowed, Optional<BootProfiling> profiling) {
        this.catalog = catalog;
        this.images = images;
        this.blockSizes = blockSizes;
        this.allowed = allowed;
        this.profiling = profiling;
    }

    @Override
    public Iterable<ExportSummary> list(Client client) throws IOException {
        List<ExportSummary> summaries = new ArrayList<>();
        for (MachineName machine : machines(client)) {
            for (Point point : catalog.points(machine).reversed()) {
                for (PointDisk disk : point.disks()) {
                    summaries.add(new ExportSummary(machine + "/" + disk.name() + "@" + point.id(), describe(point, disk)));
                }
            }
        }
        return summaries;
    }

    private static String describe(Point point, PointDisk disk) {
        return "disk " + disk.name() + " of " + point.machine() + " as of " + point.time();
    }

    @Override
    public boolean admits(Client client, String name) {
        try {
            return allowed.isEmpty() || sees(client, Selector.parse(name).machine());
        } catch (CatalogException _) {
            return false;
        }
    }

    /** Whether the client may know of the machine. */
    boolean sees(Client client, MachineName machine) {
        return allowed.isEmpty() || client.subject().filter(subject -> allowed.get().admits(subject, machine)).isPresent();
    }

    private List<MachineName> machines(Client client) throws IOException {
        return catalog.machines().stream().filter(machine -> sees(client, machine)).toList();
    }

    @Override
    public Optional<String> defaultName(Client client) throws IOException {
        List<MachineName> machines = machines(client);
        if (machines.size() != 1) {
            return Optional.empty();
        }
        Optional<Point> latest = catalog.latest(machines.getFirst());
        return latest.filter(point -> point.disks().size() == 1)
                .map(point -> point.machine() + "/" + point.disks().getFirst().name() + "@latest");
    }

    /** The image of a disk of a point, watched for boots if that is wanted. */
    public BlockDevice watched(BlockDevice image, HeldPoint point, DiskName disk) {
        return profiling.isPresent() ? profiling.get().watch(image, point, disk) : image;
    }

    @Override
    public Optional<Export> open(String name) throws IOException {
        try (ManifestAhead ahead = images.ahead()) {
            Selector selector = Selector.parse(name);
            Point point = catalog.resolve(selector, ahead::expect);
            PointDisk disk = point.disk(RestoreDisk.disk(point, selector)).orElseThrow();
            BlockDevice device = watched(images.open(point, disk.name(), ahead), HeldPoint.of(point), disk.name());
            ChangedContexts contexts = new ChangedContexts(catalog, images, point, disk.name());
            return Optional.of(new Export(device, describe(point, disk), contexts, blockSizes));
        } catch (CatalogException e) {
            return switch (e.reason()) {
                case NO_SUCH_MACHINE, NO_SUCH_POINT, NO_SUCH_DISK, NO_SUCH_DOCUMENT, NOT_A_SELECTOR -> Optional.empty();
                case AMBIGUOUS, DAMAGED, UNSUPPORTED_FORMAT, BUSY, PROTECTED, IMMUTABLE -> throw e;
            };
        }
    }
}
