package io.afterimage.app.boot;

import io.afterimage.app.export.PointExports;
import io.afterimage.image.ImageLibrary;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Contexts;
import io.afterimage.nbd.server.Export;
import io.afterimage.nbd.server.Exports;
import java.io.IOException;
import java.util.List;
import java.util.Optional;

/** The disk that is on its way, and no other; also when its point has been forgotten meanwhile. */
public final class MigrationExport implements Exports {

    private final Migration migration;
    private final ImageLibrary images;
    private final PointExports points;

    /** @param points knows how disks are watched */
    public MigrationExport(Migration migration, ImageLibrary images, PointExports points) {
        this.migration = migration;
        this.images = images;
        this.points = points;
    }

    @Override
    public Iterable<ExportSummary> list(Client client) {
        return List.of(new ExportSummary(migration.toString(), "on its way to " + migration.image()));
    }

    @Override
    public boolean admits(Client client, String name) {
        return name.equals(migration.toString());
    }

    @Override
    public Optional<Export> open(String name) throws IOException {
        return name.equals(migration.toString())
                ? Optional.of(new Export(
                        points.watched(images.open(migration.base(), migration.disk()), migration.base(), migration.disk()),
                        "on its way to " + migration.image(), Contexts.NONE, BlockSizes.DEFAULT))
                : Optional.empty();
    }
}
