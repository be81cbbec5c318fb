package io.afterimage.manifest;

import io.afterimage.chunk.PackId;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * The packs that a manifest names, each with the short number by which its maps speak of it. A child manifest keeps its
 * parent's numbers, so that a segment that did not change is taken over as it is. Immutable.
 */
public final class PackTable {

    public static final PackTable EMPTY = new PackTable(new TreeMap<>());

    private final NavigableMap<Integer, Row> rows;

    /** @param chunks how many chunks of the manifest's disks lie in the pack; at least 1 */
    record Row(PackId id, long chunks) {}

    /** The numbers in their order, and the id of each: what each read looks up. */
    private final int[] numbers;

    private final PackId[] inOrder;

    PackTable(NavigableMap<Integer, Row> rows) {
        this.rows = rows;
        numbers = rows.keySet().stream().mapToInt(Integer::intValue).toArray();
        inOrder = rows.values().stream().map(Row::id).toArray(PackId[]::new);
    }

    /** The packs named, each once. */
    public Collection<PackId> ids() {
        return rows.values().stream().map(Row::id).toList();
    }

    Map<Integer, Row> rows() {
        return Collections.unmodifiableMap(rows);
    }

    PackId id(int number) throws CorruptManifestException {
        int index = Arrays.binarySearch(numbers, number);
        if (index < 0) {
            throw new CorruptManifestException("a chunk lies in a pack without a name");
        }
        return inOrder[index];
    }

    /** Whether no number means one pack here and another one there. */
    boolean agreesWith(PackTable other) {
        return rows.entrySet().stream().allMatch(row -> {
            Row there = other.rows.get(row.getKey());
            return there == null || there.id().equals(row.getValue().id());
        });
    }

    /** A copy to be changed. For one thread. */
    static final class Editor {

        private final TreeMap<Integer, Row> rows = new TreeMap<>();
        private final Map<PackId, Integer> numbers = new HashMap<>();
        private final Map<Integer, Long> counts = new HashMap<>();
        private int next;

        Editor(PackTable base) {
            base.rows.forEach((number, row) -> {
                rows.put(number, row);
                numbers.put(row.id(), number);
                counts.put(number, row.chunks());
            });
            next = rows.isEmpty() ? 0 : rows.lastKey() + 1;
        }

        int number(PackId id) {
            return numbers.computeIfAbsent(id, newId -> {
                rows.put(next, new Row(newId, 0));
                return next++;
            });
        }

        PackId id(int number) {
            return rows.get(number).id();
        }

        void count(int number, int change) {
            counts.merge(number, (long) change, Long::sum);
        }

        PackTable finish() {
            TreeMap<Integer, Row> named = new TreeMap<>();
            rows.forEach((number, row) -> {
                long chunks = counts.getOrDefault(number, 0L);
                if (chunks > 0) {
                    named.put(number, new Row(row.id(), chunks));
                }
            });
            return new PackTable(named);
        }
    }
}
