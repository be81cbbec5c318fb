package io.afterimage.capture.qemu;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A disk of a running machine.
 *
 * @param name what the disk is called in the repository; {@code [A-Za-z0-9][A-Za-z0-9._-]*}, one of its kind in the machine
 * @param device the id of a {@code -drive}, or ""
 * @param qdev the device's id or QOM path, as {@code query-block} tells it; "" when no device uses the disk
 * @param topNode the node that the device uses; maybe a filter that comes and goes
 * @param node the node of the disk's format, below all filters: where bitmaps live and what is backed up
 * @param format its driver, such as {@code qcow2}, {@code raw}
 * @param file the image as QEMU opened it: an absolute path, a URL, a {@code json:} description
 * @param size virtual size in bytes, a multiple of 512
 * @param storesBitmaps whether a checkpoint outlives a stop of QEMU
 * @param bitmaps the dirty bitmaps on {@code node}
 * @param backing the images that {@code node} is an overlay on, the next one below first
 */
public record QemuDisk(
        String name,
        String device,
        String qdev,
        String topNode,
        String node,
        String format,
        String file,
        long size,
        boolean storesBitmaps,
        List<DirtyBitmap> bitmaps,
        List<Backing> backing) {

    /**
     * An image below an overlay.
     *
     * @param format its driver
     * @param file as QEMU opened it: an absolute path, a URL, a {@code json:} description
     * @param node its node
     * @param size virtual size in bytes
     * @param bitmaps those on that node: what was written to the disk before it became an overlay on this image
     */
    public record Backing(String format, String file, String node, long size, List<DirtyBitmap> bitmaps) {

        public Backing {
            bitmaps = List.copyOf(bitmaps);
        }
    }

    public QemuDisk {
        bitmaps = List.copyOf(bitmaps);
        backing = List.copyOf(backing);
    }

    /** Whether the disk, or an image that it is an overlay on, has a recording bitmap of the checkpoint, under the disk's name or libvirt's. */
    public boolean records(Checkpoint checkpoint) {
        Set<String> names = Set.of(checkpoint.on(name).name(), checkpoint.byLibvirt().name());
        return Stream.concat(bitmaps.stream(), backing.stream().flatMap(image -> image.bitmaps().stream()))
                .anyMatch(bitmap -> names.contains(bitmap.name()) && bitmap.recording());
    }

    /** Whether a user who writes {@code --disk word} means this disk. */
    boolean isCalled(String word) {
        return !word.isEmpty()
                && (word.equals(name) || word.equals(device) || word.equals(qdev) || word.equals(topNode) || word.equals(node));
    }
}
