package io.afterimage.manifest;

import io.afterimage.chunk.ChunkSize;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The complete description of one restore point. Immutable.
 *
 * @param point the point's own id
 * @param machine the machine it is of
 * @param parent the point that {@link DiskMap#changed} counts from; never needed to read this one
 * @param chunkSize the chunk size of all the maps
 * @param packs every pack that a map names
 * @param disks in the machine's order
 * @param definition what the machine is beside its disks: documents by name, such as {@code qmp/query-block.json}
 */
public record Manifest(
        PointId point,
        MachineName machine,
        Optional<PointId> parent,
        ChunkSize chunkSize,
        PackTable packs,
        List<DiskMap> disks,
        SortedMap<String, String> definition) {

    public Manifest {
        disks = List.copyOf(disks);
        definition = Collections.unmodifiableSortedMap(new TreeMap<>(definition));
    }

    /** {@linkplain BlockMap#check Checks} the maps of all disks. */
    public void checkMaps() throws CorruptManifestException {
        for (DiskMap disk : disks) {
            disk.map().check();
        }
    }

    public Optional<DiskMap> disk(DiskName name) {
        return disks.stream().filter(disk -> disk.name().equals(name)).findFirst();
    }

    /**
     * The same point with its disks as another machine calls them, which was launched from it: what that machine's first point can build on.
     * Several names may stand for one disk; disks without a name are left out.
     *
     * @param names for each new name the disk of that name here; one that is not here is passed over
     */
    public Manifest renamed(Map<DiskName, DiskName> names) {
        PackTable.Editor counted = new PackTable.Editor(packs);
        for (DiskMap disk : disks) {
            int uses = Collections.frequency(names.values(), disk.name());
            if (uses != 1) {
                disk.map().forEachFrame(BlockMap.empty(0, chunkSize), (pack, _, _) -> counted.count(counted.number(pack), uses - 1));
            }
        }
        List<DiskMap> named = names.entrySet().stream()
                .map(name -> disk(name.getValue()).map(disk -> new DiskMap(name.getKey(), disk.map(), disk.changed())))
                .flatMap(Optional::stream)
                .toList();
        return new Manifest(point, machine, parent, chunkSize, counted.finish(), named, definition);
    }
}
