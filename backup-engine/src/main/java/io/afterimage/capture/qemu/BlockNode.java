package io.afterimage.capture.qemu;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * A node of QEMU's block graph.
 *
 * @param name its node name; {@code #block123} when nobody gave it one
 * @param driver format, protocol or filter driver
 * @param file the file name as QEMU would open it; may be a {@code json:} description
 * @param size virtual size in bytes
 * @param storesBitmaps whether the format can keep a dirty bitmap over a stop of QEMU
 */
record BlockNode(
        String name, String driver, String file, boolean readOnly, long size, boolean storesBitmaps, List<DirtyBitmap> bitmaps) {

    /**
     * Drivers that only stand in front of another node: jobs and throttling put them between a device and the format node
     * that the user knows. Bitmaps cannot be stored on them, and they come and go.
     */
    private static final Set<String> FILTERS = Set.of(
            "blkdebug", "blklogwrites", "blkreplay", "commit_top", "compress", "copy-before-write", "copy-on-read", "mirror_top",
            "preallocate", "throttle");

    private static final Pattern LIBVIRTS = Pattern.compile("libvirt-[0-9]+-(format|storage)");

    static BlockNode of(JsonNode json) {
        JsonNode format = json.path("image").path("format-specific");
        // qcow2 "compat 0.10" is version 2, which has no bitmap extension.
        boolean qcow2v3 = format.path("type").asString("").equals("qcow2")
                && !format.path("data").path("compat").asString("").equals("0.10");
        return new BlockNode(
                json.path("node-name").asString(""),
                json.path("drv").asString(""),
                json.path("file").asString(""),
                json.path("ro").asBoolean(false),
                json.path("image").path("virtual-size").asLong(0),
                qcow2v3,
                json.path("dirty-bitmaps").valueStream().map(DirtyBitmap::of).toList());
    }

    boolean isFilter() {
        return FILTERS.contains(driver);
    }

    /** Whether a user chose the name: those of QEMU's own and of libvirt's change from start to start. */
    boolean hasGivenName() {
        return !name.isEmpty() && !name.startsWith("#") && !LIBVIRTS.matcher(name).matches();
    }

    Optional<DirtyBitmap> bitmap(String bitmapName) {
        return bitmaps.stream().filter(bitmap -> bitmap.name().equals(bitmapName)).findFirst();
    }
}
