package io.afterimage.app.image;

import io.afterimage.app.SourceException;
import io.afterimage.app.TargetException;
import io.afterimage.capture.qemu.Checkpoint;
import io.afterimage.capture.qemu.CheckpointBitmap;
import io.afterimage.capture.qemu.CutPlan;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A qcow2 file as {@code qemu-img info} describes it, and what {@code qemu-img bitmap} can do to it. While another program has the file
 * open for writing, nothing is done to it; what is done to it is done when the call returns.
 *
 * @param file absolute
 * @param layers the backing chain, the file itself first
 * @param checkpoints the dirty bitmaps of Afterimage's that are stored in it
 */
public record QemuImage(Path file, List<ImageLayer> layers, List<Stored> checkpoints) {

    private static final long SECTOR = 512;
    private static final JsonMapper JSON = new JsonMapper();

    /**
     * A bitmap.
     *
     * @param consistent whether it was stored by a QEMU that ended cleanly, and tells all: where an image below has one of that name, this one
     *     counts from a snapshot on
     */
    public record Stored(CheckpointBitmap bitmap, boolean consistent) {}

    /** Makes a new qcow2 file of so many bytes; whole sectors, as QEMU has them. */
    public static void create(Path file, long size) throws IOException {
        requireSectors(size, "restore it to a file of another name, which becomes raw");
        run(file, "create", "-q", "-f", "qcow2", file.toAbsolutePath().toString(), Long.toString(size));
    }

    /** Makes a new qcow2 file over what {@code below} names, which is not looked at. */
    public static void createOver(Path file, long size, String below) throws IOException {
        requireSectors(size, "restore it instead, to a file that is not named .qcow2 and becomes raw");
        run(file, "create", "-q", "-f", "qcow2", "-u", "-b", below, "-F", "raw", file.toAbsolutePath().toString(), Long.toString(size));
    }

    private static void requireSectors(long size, String wayOut) throws TargetException {
        if (size % SECTOR != 0) {
            throw new TargetException("The disk has " + size + " bytes, and a qcow2 image has whole sectors of " + SECTOR + ": " + wayOut + ".");
        }
    }

    /** What the header of a qcow2 file, which nobody has open, says that lies below it. */
    public static Optional<String> below(Path file) throws IOException {
        try {
            JsonNode header = JSON.readTree(run(file, "info", "-f", "qcow2", "--output=json", file.toAbsolutePath().toString()));
            return Optional.ofNullable(header.path("backing-filename").stringValue(null));
        } catch (JacksonException e) {
            throw senseless(file, e);
        }
    }

    private static SourceException senseless(Path file, JacksonException cause) {
        return new SourceException("qemu-img tells nothing of " + file + " that makes sense: check that it is a qcow2 image.", cause);
    }

    /** What qemu-img knows of an image and of what lies below it; nobody need keep still meanwhile. */
    public static QemuImage inspect(Path file) throws IOException {
        Path absolute = file.toAbsolutePath();
        String described = run(absolute, "info", "--force-share", "-f", "qcow2", "--backing-chain", "--output=json", absolute.toString());
        try {
            JsonNode chain = JSON.readTree(described);
            List<ImageLayer> layers = new ArrayList<>();
            for (JsonNode layer : chain) {
                layers.add(ImageLayer.of(
                        layer.path("format").asString(""), layer.path("filename").asString(""), layer.path("virtual-size").asLong(0)));
            }
            return new QemuImage(absolute, List.copyOf(layers), checkpoints(chain));
        } catch (JacksonException e) {
            throw senseless(file, e);
        }
    }

    private static List<Stored> checkpoints(JsonNode chain) {
        Set<String> below = chain.valueStream().skip(1).flatMap(QemuImage::bitmaps).map(QemuImage::name).collect(Collectors.toSet());
        return bitmaps(chain.path(0)).flatMap(bitmap -> CheckpointBitmap.parse(name(bitmap)).stream().map(ours -> new Stored(
                ours, hasFlag(bitmap, "auto") && !hasFlag(bitmap, "in-use") && !below.contains(name(bitmap))))).toList();
    }

    private static Stream<JsonNode> bitmaps(JsonNode layer) {
        return layer.path("format-specific").path("data").path("bitmaps").valueStream();
    }

    private static String name(JsonNode bitmap) {
        return bitmap.path("name").asString("");
    }

    private static boolean hasFlag(JsonNode bitmap, String flag) {
        return bitmap.path("flags").valueStream().anyMatch(set -> set.asString("").equals(flag));
    }

    /** The virtual size in bytes. */
    public long size() {
        return layers.getFirst().size();
    }

    /** The image's bitmap of that repository's that counts a disk's changes since the point, if it can be relied on. */
    public Optional<CheckpointBitmap> bitmap(String repository, CutPlan.Base since) {
        return checkpoints.stream()
                .filter(Stored::consistent)
                .map(Stored::bitmap)
                .filter(bitmap -> bitmap.checkpoint().repository().equals(repository) && bitmap.counts(since, file.toString()))
                .findFirst();
    }

    /** Whether one that can be relied on is of that checkpoint. */
    public boolean has(Checkpoint checkpoint) {
        return checkpoints.stream().anyMatch(stored -> stored.consistent() && stored.bitmap().checkpoint().equals(checkpoint));
    }

    /** Adds a bitmap that records every write from now on. */
    public void add(CheckpointBitmap bitmap, long granularity) throws IOException {
        add(file, bitmap, granularity);
    }

    /** The same, whatever lies below the file. */
    public static void add(Path file, CheckpointBitmap bitmap, long granularity) throws IOException {
        run(file, "bitmap", "-f", "qcow2", "--add", "-g", Long.toString(granularity), file.toString(), bitmap.name());
    }

    /** Removes a bitmap, if the image has it. */
    public void remove(CheckpointBitmap bitmap) throws IOException {
        run(file, "bitmap", "-f", "qcow2", "--remove", file.toString(), bitmap.name());
    }

    private static String run(Path file, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("qemu-img"));
        command.addAll(List.of(arguments));
        try {
            Process process = new ProcessBuilder(command).start();
            process.getOutputStream().close();
            String answer = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String complaint = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new SourceException("The image " + file + " cannot be used: " + complaint.strip().replace('\n', ' ') + ".");
            }
            return answer;
        } catch (SourceException e) {
            throw e;
        } catch (IOException e) {
            throw new SourceException("To read qcow2 images, qemu-img is needed: install the package qemu-utils.", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while qemu-img worked on " + file, e);
        }
    }
}
