package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;

/** The frames that points need, each once, by pack and in the order of the pack: four bytes a frame. For one thread while it is filled. */
final class NeededFrames {

    private static final int OFFSET_SHIFT = 8;

    private final TreeMap<PackId, Places> packs = new TreeMap<>();

    /** Offsets with their length codes, of one pack. */
    private static final class Places {

        private int[] places = new int[16];
        private int count;
        private int ordered;

        void add(int place) {
            if (count > 0 && places[count - 1] == place) {
                return;
            }
            if (count == places.length) {
                order();
                if (count > places.length / 2) {
                    places = Arrays.copyOf(places, 2 * places.length);
                }
            }
            places[count++] = place;
        }

        /** Points that share frames name them again and again. */
        private void order() {
            if (ordered < count) {
                Arrays.sort(places, 0, count);
                int distinct = 0;
                for (int i = 0; i < count; i++) {
                    if (i == 0 || places[i] != places[i - 1]) {
                        places[distinct++] = places[i];
                    }
                }
                count = distinct;
                ordered = distinct;
            }
        }
    }

    void add(ChunkAddress address) {
        packs.computeIfAbsent(address.pack(), _ -> new Places()).add(address.offset() << OFFSET_SHIFT | address.lengthCode());
    }

    /** In order. */
    Set<PackId> packs() {
        return packs.keySet();
    }

    /** The frames of a pack, in order; none if nobody needs any. */
    List<ChunkAddress> of(PackId pack) {
        Places places = packs.get(pack);
        if (places == null) {
            return List.of();
        }
        places.order();
        return Arrays.stream(places.places, 0, places.count)
                .mapToObj(place -> new ChunkAddress(pack, place >>> OFFSET_SHIFT, place & 0xff))
                .toList();
    }

    /** The bytes of all the frames of a pack. */
    long bytes(PackId pack, ChunkSize chunkSize) {
        return of(pack).stream().mapToLong(address -> address.byteLength(chunkSize)).sum();
    }
}
