package io.afterimage.guestfs;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.afterimage.block.ByteRange;
import io.afterimage.posix.EscapedText;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Asks an appliance which volumes its disks have. What it cannot tell of one is left empty. */
final class VolumeFinder {

    /** {@code struct guestfs_partition}. */
    private static final long PARTITION_SIZE = 32;

    private static final String DEVICES = "/dev/";

    private final Appliance appliance;
    private final List<AttachedDisk> disks;

    VolumeFinder(Appliance appliance, List<AttachedDisk> disks) {
        this.appliance = appliance;
        this.disks = disks;
    }

    List<Volume> find() throws GuestException {
        List<Volume> volumes = new ArrayList<>();
        List<String> partitions = devices("list_partitions");
        Map<String, String> diskOf = new HashMap<>();
        for (String partition : partitions) {
            diskOf.put(partition, answer("part_to_dev", partition).orElse(partition));
        }
        Set<String> divided = new HashSet<>(diskOf.values());
        for (String device : devices("list_devices")) {
            int index = number("device_index", device).orElseThrow();
            // The appliance's own disk comes behind ours, where it is seen at all.
            if (index < disks.size()) {
                String disk = disks.get(index).name();
                if (divided.contains(device)) {
                    Map<Integer, ByteRange> places = places(device);
                    for (String partition : partitions) {
                        if (diskOf.get(partition).equals(device)) {
                            volumes.add(partition(disk, partition, places));
                        }
                    }
                } else {
                    long size = size(device);
                    volumes.add(volume(disk, Volume.Kind.DISK, device, size, Optional.of(new Volume.Place(disk, new ByteRange(0, size)))));
                }
            }
        }
        for (String device : devices("lvs")) {
            volumes.add(volume(device.substring(DEVICES.length()), Volume.Kind.LOGICAL_VOLUME, device, size(device), Optional.empty()));
        }
        for (String device : devices("list_md_devices")) {
            volumes.add(volume(device.substring(DEVICES.length()), Volume.Kind.RAID, device, size(device), Optional.empty()));
        }
        return volumes;
    }

    private Volume partition(String disk, String device, Map<Integer, ByteRange> places) throws GuestException {
        int number = number("part_to_partnum", device).orElse(0);
        Optional<Volume.Place> place = Optional.ofNullable(places.get(number)).map(range -> new Volume.Place(disk, range));
        return volume(disk + ".p" + number, Volume.Kind.PARTITION, device, size(device), place);
    }

    private Volume volume(String name, Volume.Kind kind, String device, long size, Optional<Volume.Place> place) throws GuestException {
        Map<String, String> known = new HashMap<>();
        try {
            List<byte[]> pairs = appliance.ask(name, guest -> guest.strings("blkid", device));
            for (int i = 0; i + 1 < pairs.size(); i += 2) {
                known.put(EscapedText.of(pairs.get(i)), EscapedText.of(pairs.get(i + 1)));
            }
        } catch (GuestFsException _) {
            // It knows nothing of what is there.
        }
        boolean mountable = "filesystem".equals(known.get("USAGE"));
        return new Volume(name, kind, device, Optional.ofNullable(known.get("TYPE")), mountable,
                Optional.ofNullable(known.get("LABEL")), Optional.ofNullable(known.get("UUID")), size, place);
    }

    private Map<Integer, ByteRange> places(String device) throws GuestException {
        Map<Integer, ByteRange> places = new HashMap<>();
        try {
            appliance.ask(device, guest -> guest.structures("partition", PARTITION_SIZE, part -> {
                places.put(part.get(JAVA_INT, 0), new ByteRange(part.get(JAVA_LONG, 8), part.get(JAVA_LONG, 24)));
                return part;
            }, "part_list", device));
        } catch (GuestFsException _) {
            // A table that only the kernel understands.
        }
        return places;
    }

    private List<String> devices(String function) throws GuestException {
        try {
            return appliance.ask("the disks", guest -> guest.strings(function)).stream()
                    .map(bytes -> new String(bytes, StandardCharsets.UTF_8))
                    .toList();
        } catch (GuestFsException _) {
            return List.of();
        }
    }

    private Optional<String> answer(String function, String device) throws GuestException {
        try {
            return Optional.of(new String(appliance.ask(device, guest -> guest.string(function, device)), StandardCharsets.UTF_8));
        } catch (GuestFsException _) {
            return Optional.empty();
        }
    }

    private Optional<Integer> number(String function, String device) throws GuestException {
        try {
            return Optional.of(appliance.ask(device, guest -> guest.number(function, device)));
        } catch (GuestFsException _) {
            return Optional.empty();
        }
    }

    private long size(String device) throws GuestException {
        try {
            return appliance.ask(device, guest -> guest.wide("blockdev_getsize64", device));
        } catch (GuestFsException _) {
            return 0;
        }
    }
}
