package io.afterimage.app.restore;

import io.afterimage.capture.Progress;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.CatalogException.Reason;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDisk;
import io.afterimage.catalog.PointGroup;
import io.afterimage.catalog.Selector;
import io.afterimage.image.ImageLibrary;
import io.afterimage.manifest.MachineName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Restores all machines of a group as they were at one instant, each disk to a file of its own: {@code FOLDER/MACHINE/DISK.raw}. */
public final class RestoreGroup {

    private final Catalog catalog;
    private final ImageLibrary images;
    private final String repository;

    /** @param repository the id of the one that catalog and images are of */
    public RestoreGroup(Catalog catalog, ImageLibrary images, String repository) {
        this.catalog = catalog;
        this.images = images;
        this.repository = repository;
    }

    /**
     * The points of one capture of the group, in the order of its members.
     *
     * @param selector {@code GROUP@POINT}, where the point is one of the group's captures
     * @throws CatalogException also when one of the members has no such point any more: then the rest is not the group
     */
    public List<Point> resolve(Selector selector) throws IOException {
        List<Point> captured = new ArrayList<>();
        for (MachineName machine : catalog.machines()) {
            catalog.points(machine).stream()
                    .filter(point -> point.group().filter(group -> group.name().equals(selector.machine().text())).isPresent())
                    .forEach(captured::add);
        }
        PointGroup chosen = captured.stream()
                .filter(point -> fits(point, selector.point()))
                .map(point -> point.group().orElseThrow())
                .max(Comparator.comparing(PointGroup::id))
                .orElseThrow(() -> new CatalogException(
                        Reason.NO_SUCH_POINT, "There is no capture " + selector.point() + " of a group '" + selector.machine() + "': 'afterimage list' shows the groups."));
        if (selector.point() instanceof Selector.Which.Id
                && captured.stream().filter(point -> fits(point, selector.point())).anyMatch(point -> !id(point).equals(chosen.id()))) {
            throw new CatalogException(Reason.AMBIGUOUS, "More than one capture of the group begins with '" + selector.point() + "': write more of its id.");
        }
        List<Point> members = new ArrayList<>();
        for (String machine : chosen.members()) {
            members.add(captured.stream()
                    .filter(point -> point.machine().text().equals(machine) && id(point).equals(chosen.id()))
                    .findFirst()
                    .orElseThrow(() -> new CatalogException(
                            Reason.NO_SUCH_POINT,
                            "The capture " + chosen.id() + " of the group '" + chosen.name() + "' is not whole, since of '" + machine
                                    + "' there is no point: name another capture, or restore the machines that are left one by one.")));
        }
        return members;
    }

    private static boolean fits(Point point, Selector.Which which) {
        return switch (which) {
            case Selector.Which.Latest _ -> true;
            case Selector.Which.Id wanted -> id(point).startsWith(wanted.prefix());
            case Selector.Which.At at -> !point.time().isAfter(at.instant());
        };
    }

    private static String id(Point point) {
        return point.group().orElseThrow().id();
    }

    /** Restores them; files that are there already are replaced only with {@code overwrite}. */
    public void run(List<Point> members, Path folder, boolean overwrite, Progress progress) throws IOException {
        for (Point point : members) {
            Path own = Files.createDirectories(folder.resolve(point.machine().text()));
            for (PointDisk disk : point.disks()) {
                new RestoreDisk(images, repository).run(point, disk.name(), own.resolve(disk.name() + ".raw").toString(), overwrite, progress);
            }
        }
    }
}
