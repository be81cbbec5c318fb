package io.afterimage.capture.qemu;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What is known of a disk's changes since an earlier point. */
public sealed interface Changes {

    /**
     * QEMU recorded them all.
     *
     * @param context the NBD metadata context that tells them: {@code qemu:dirty-bitmap:...}, flag 1 is dirty
     * @param dirtyBytes what QEMU counts: whole granules, so maybe a little past the disk's end
     * @param above present when the bitmap is on an image that the disk has become an overlay on: what lies above it has changed, too
     */
    record Recorded(String context, long dirtyBytes, Optional<Allocated> above) implements Changes {}

    /**
     * They are what the first images of the disk's backing chain hold, which stand on the one that the point shows.
     *
     * @param context the NBD metadata context that tells the chain's image in which a range lies, from 1 on; 0 in none
     * @param above how many of the images, as the context counts them, are above the one that the point shows
     */
    record Allocated(String context, int above) implements Changes {}

    /** Nothing: the disk must be read whole, and {@code reason} tells the user why. */
    record Unknown(String reason) implements Changes {}

    /**
     * The bitmap that holds every change since {@code base}, or why there is none. It is on the disk's own image or, when a snapshot has put an
     * overlay there since, on the one below: all that was written later is in the overlays.
     */
    static Source find(QemuDisk disk, Optional<CutPlan.Base> base, Checkpoint checkpoint) {
        if (base.isEmpty()) {
            return Source.none("the point it builds on does not have it");
        }
        Optional<Place> found = place(disk, base.get(), checkpoint.repository());
        if (found.isEmpty()) {
            return Source.none("QEMU has no checkpoint of point " + base.get().pointId()
                    + " on it (a restart, a snapshot, another disk, or a backup of the machine under another name)");
        }
        DirtyBitmap bitmap = found.get().bitmap();
        if (bitmap.inconsistent()) {
            return Source.none("its checkpoint is inconsistent, because QEMU did not end cleanly");
        }
        if (disk.size() != base.get().diskSize()) {
            return Source.none("it was resized from " + base.get().diskSize() + " to " + disk.size() + " bytes");
        }
        if (!bitmap.recording()) {
            return Source.none("its checkpoint was disabled by another program");
        }
        if (bitmap.busy()) {
            return Source.none("its checkpoint is in use by another program");
        }
        return new Source(found.get().node(), bitmap.name(), found.get().layersAbove(), "");
    }

    /** Where a bitmap of a disk is. */
    record Place(String node, String image, int layersAbove, DirtyBitmap bitmap) {}

    /**
     * Of several of that name the one on the lowest image: who takes a snapshot as libvirt does begins bitmaps of the same names on the overlay,
     * which count from the snapshot on.
     */
    private static Optional<Place> place(QemuDisk disk, CutPlan.Base base, String repository) {
        List<Place> places = places(disk)
                .filter(place -> CheckpointBitmap.parse(place.bitmap().name())
                        .filter(bitmap -> bitmap.checkpoint().repository().equals(repository) && bitmap.counts(base, place.image()))
                        .isPresent())
                .toList();
        return places.isEmpty() ? Optional.empty() : Optional.of(places.getLast());
    }

    private static Stream<Place> places(QemuDisk disk) {
        Stream<Place> own = disk.bitmaps().stream().map(bitmap -> new Place(disk.node(), disk.file(), 0, bitmap));
        Stream<Place> below = IntStream.range(0, disk.backing().size()).boxed().flatMap(i -> disk.backing().get(i).bitmaps().stream()
                .map(bitmap -> new Place(disk.backing().get(i).node(), disk.backing().get(i).file(), i + 1, bitmap)));
        return Stream.concat(own, below);
    }

    /**
     * Either a bitmap or the reason why there is none.
     *
     * @param layersAbove how many images of the disk's chain are above the one with the bitmap
     */
    record Source(String node, String bitmap, int layersAbove, String reason) {

        /** Why there is none. */
        public static Source none(String reason) {
            return new Source("", "", 0, reason);
        }

        /** Whether it is a bitmap. */
        public boolean isRecorded() {
            return !bitmap.isEmpty();
        }
    }
}
