package io.afterimage.manifest;

import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkSize;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;

/** Makes the manifest of a new point, disk by disk, from the parent's if there is one. For one thread. */
public final class ManifestEditor {

    private final ChunkSize chunkSize;
    private final Optional<Manifest> parent;
    private final PackTable.Editor packs;
    private final Map<DiskName, BlockMapEditor> disks = new LinkedHashMap<>();

    public ManifestEditor(ChunkSize chunkSize, Optional<Manifest> parent) {
        this.chunkSize = chunkSize;
        this.parent = parent;
        packs = new PackTable.Editor(parent.map(Manifest::packs).orElse(PackTable.EMPTY));
    }

    /** Begins a disk: as the parent has it, or all zeros. Each name once. */
    public BlockMapEditor disk(DiskName name, long size) {
        BlockMap base = parent.flatMap(manifest -> manifest.disk(name))
                .map(DiskMap::map)
                .orElseGet(() -> BlockMap.empty(size, chunkSize));
        BlockMapEditor editor = new BlockMapEditor(base, size, packs);
        if (disks.putIfAbsent(name, editor) != null) {
            throw new IllegalArgumentException("the disk " + name + " is there twice");
        }
        return editor;
    }

    /** The manifest with all the disks begun; disks of the parent that were not begun are not in it. */
    public Manifest finish(PointId point, MachineName machine, SortedMap<String, String> definition) {
        parent.ifPresent(manifest -> manifest.disks().stream()
                .filter(disk -> !disks.containsKey(disk.name()))
                .forEach(disk -> new BlockMapEditor(disk.map(), 0, packs)));
        PackTable table = packs.finish();
        List<DiskMap> finished = new ArrayList<>();
        disks.forEach((name, editor) -> {
            BlockMap map = editor.finish(table);
            boolean isNew = parent.flatMap(manifest -> manifest.disk(name)).isEmpty();
            finished.add(new DiskMap(name, map, isNew ? whole(map) : ranges(editor.changed(), map)));
        });
        return new Manifest(point, machine, parent.map(Manifest::point), chunkSize, table, finished, definition);
    }

    private static List<ByteRange> whole(BlockMap map) {
        return map.diskSize() == 0 ? List.of() : List.of(new ByteRange(0, map.diskSize()));
    }

    private static List<ByteRange> ranges(BitSet chunks, BlockMap map) {
        List<ByteRange> ranges = new ArrayList<>();
        long unit = map.chunkSize().bytes();
        int end;
        for (int start = chunks.nextSetBit(0); start >= 0; start = chunks.nextSetBit(end)) {
            end = chunks.nextClearBit(start);
            ranges.add(ByteRange.between(start * unit, Math.min(end * unit, map.diskSize())));
        }
        return ranges;
    }
}
