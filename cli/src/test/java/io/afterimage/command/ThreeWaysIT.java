package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Lab;
import io.afterimage.lab.LibvirtGuest;
import io.afterimage.lab.LibvirtHost;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A machine of libvirt's, on a QEMU that can push, with a monitor of its own beside libvirt's: the three ways to a point, in one chain. The guest stands still
 * while it is backed up, so that all show one state.
 */
class ThreeWaysIT {

    private static final long QCOW2_SIZE = 24_000_512;
    private static final long RAW_SIZE = 9_000_448;

    @TempDir
    Path folder;

    private final Map<String, Path> disks = new LinkedHashMap<>();
    private final List<String> points = new ArrayList<>();
    private Program afterimage;
    private LibvirtHost host;
    private LibvirtGuest guest;

    /** Who makes the point. */
    private enum Way {
        LIBVIRT,
        PULL,
        PUSH
    }

    @BeforeEach
    void boot() {
        Path qemu = Path.of(Lab.newerQemu()).getParent();
        // Where QEMU's user finds it, wherever the checkout is.
        Tool.run("cp", "-a", qemu.toString(), folder.resolve("q").toString()).orFail();
        afterimage = new Program(folder);
        afterimage.run("init").orFail();
        host = LibvirtHost.start(folder);
        disks.put("vdb", image("data.qcow2", "qcow2", QCOW2_SIZE));
        disks.put("vdc", image("logs.raw", "raw", RAW_SIZE));
        guest = LibvirtGuest.define(host, "web", folder.resolve("g"), disks, "", "", folder.resolve("q/run")).boot();
    }

    private Path image(String name, String format, long size) {
        Path image = folder.resolve(name);
        Tool.run("qemu-img", "create", "-q", "-f", format, image.toString(), Long.toString(size)).orFail();
        return image;
    }

    @AfterEach
    void end() throws IOException {
        if (guest != null) {
            guest.close();
        }
        if (host != null) {
            host.close();
        }
    }

    /** Each way comes once right after the guest has written, and each right after each other. */
    @Test
    void allMakeTheSamePointsWhoeverCameBefore() {
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=64k count=100 && dd if=/dev/urandom of=/dev/vdc bs=4k count=300 seek=77");
        assertSameState(List.of("vdb whole, vdc whole", "vdb bitmap, vdc whole", "vdb bitmap, vdc bitmap"), Way.LIBVIRT, Way.PULL, Way.PUSH);
        guest.run("dd if=/dev/urandom of=/dev/vdb bs=512 count=3 seek=4001 && dd if=/dev/zero of=/dev/vdb bs=64k count=9 seek=20"
                + " && blkdiscard -o 3276800 -l 655360 /dev/vdb && dd if=/dev/urandom of=/dev/vdc bs=512 count=1 seek=17577");
        assertSameState(byBitmaps(Way.PULL, Way.LIBVIRT, Way.PUSH), Way.PULL, Way.LIBVIRT, Way.PUSH);
        guest.run("dd if=/dev/zero of=/dev/vdc bs=64k count=5 seek=3 && dd if=/dev/urandom of=/dev/vdb bs=64k count=7 seek=33");
        assertSameState(byBitmaps(Way.PUSH, Way.LIBVIRT, Way.PULL), Way.PUSH, Way.LIBVIRT, Way.PULL);
    }

    /** libvirt keeps no checkpoints on raw disks. */
    private static List<String> byBitmaps(Way... ways) {
        return List.of(ways).stream().map(way -> "vdb bitmap, vdc " + (way == Way.LIBVIRT ? "whole" : "bitmap")).toList();
    }

    private void assertSameState(List<String> changes, Way... ways) {
        guest.run("sync");
        guest.pause();
        disks.forEach((disk, file) -> Tool.run("qemu-img", "convert", "-U", "-f", format(file), "-O", "raw", file.toString(), reference(disk).toString()).orFail());
        for (int i = 0; i < ways.length; i++) {
            JsonNode point = backUp(ways[i]);
            String told = ways[i] + ": " + point;
            assertEquals(changes.get(i), changes(point), told);
            points.add(point.path("point").asString());
            disks.keySet().forEach(disk -> assertExact(disk, told));
            if (i > 0) {
                assertEquals(0, differences(points.get(points.size() - 2), points.getLast()), told);
            } else if (points.size() > 1) {
                assertTrue(differences(points.get(points.size() - 2), points.getLast()) > 0, told);
            }
            assertFewBitmaps();
        }
        guest.resume();
    }

    private JsonNode backUp(Way way) {
        List<String> words = new ArrayList<>(List.of("backup", "web", "--scratch", folder.resolve("s").toString(), "--json", "--disk", "vdb", "--disk", "vdc"));
        words.addAll(switch (way) {
            case LIBVIRT -> List.of("--libvirt", host.uri());
            case PULL -> List.of("--qmp", guest.qmpSocket().toString(), "--mode", "pull");
            case PUSH -> List.of("--qmp", guest.qmpSocket().toString(), "--mode", "push");
        });
        return afterimage.run(words.toArray(String[]::new)).json();
    }

    private static String changes(JsonNode point) {
        return point.path("disks").valueStream().map(disk -> disk.path("name").asString() + " " + disk.path("change").asString())
                .collect(Collectors.joining(", "));
    }

    private void assertExact(String disk, String told) {
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web/" + disk + "@" + points.getLast(), "--to", restored.toString(), "--force").orFail();
        assertEquals(0, Tool.run("cmp", reference(disk).toString(), restored.toString()).exit(), told);
    }

    /** Bytes whose place in the maps differs, of all disks. */
    private long differences(String from, String to) {
        JsonNode disks = afterimage.run("diff", "web@" + from, "web@" + to, "--json").json();
        assertEquals(2, disks.size());
        return disks.valueStream().mapToLong(disk -> disk.path("bytes").asLong(-1)).sum();
    }

    /** One of each owner's. */
    private void assertFewBitmaps() {
        for (JsonNode node : guest.qmp("query-named-block-nodes")) {
            List<String> ours = node.path("dirty-bitmaps").valueStream().map(bitmap -> bitmap.path("name").asString(""))
                    .filter(name -> name.startsWith("afterimage-")).toList();
            assertTrue(ours.size() <= 2, ours::toString);
        }
    }

    private static String format(Path image) {
        return image.toString().endsWith(".raw") ? "raw" : "qcow2";
    }

    private Path reference(String disk) {
        return folder.resolve("reference-" + disk + ".raw");
    }
}
