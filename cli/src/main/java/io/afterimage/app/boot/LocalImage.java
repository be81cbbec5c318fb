package io.afterimage.app.boot;

import io.afterimage.app.TargetException;
import io.afterimage.app.image.QemuImage;
import io.afterimage.capture.qemu.CheckpointBitmap;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Optional;

/**
 * A qcow2 file that a machine's disk moves to while the machine runs. What was written or has moved lies in it. The rest is still to be had of the point alone, which the
 * file's header names as what lies below it; in words that no QEMU can open, so that none starts on half a disk. When the move has ended, nothing lies below.
 *
 * @param file need not be there yet
 */
public record LocalImage(Path file) {

    private static final byte[] QCOW2 = {'Q', 'F', 'I', (byte) 0xfb};

    /** Makes it, with nothing of the disk in it; on the disk, with its name, when this returns. Never touches a file in which there is anything. */
    void create(Migration migration, long size, CheckpointBitmap checkpoint, long granularity) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        if (!Files.isDirectory(folder)) {
            throw new TargetException("There is no folder " + folder + ": make it first.");
        }
        if (!Files.exists(file)) {
            Files.createFile(file);
        }
        QemuImage.createOver(file, size, migration.below());
        // So that the next backup of the machine reads what it has written from here on, and nothing of what only moves.
        QemuImage.add(file, checkpoint, granularity);
        sync();
        try (FileChannel entry = FileChannel.open(folder, StandardOpenOption.READ)) {
            entry.force(true);
        }
    }

    /** What is on its way to it, if it is there. */
    Optional<Migration> migration() throws IOException {
        if (!Files.exists(file) || (Files.isRegularFile(file) && Files.size(file) == 0)) {
            return Optional.empty();
        }
        Optional<Migration> migration = (isQcow2() ? QemuImage.below(file) : Optional.<String>empty()).flatMap(below -> Migration.parse(this, below));
        if (migration.isEmpty()) {
            throw new TargetException(file + " is there already, and no disk is on its way to it: choose another name. If a move to it has ended,"
                    + " start QEMU with '-drive file=" + file + ",format=qcow2,if=virtio' instead.");
        }
        return migration;
    }

    private boolean isQcow2() throws IOException {
        if (!Files.isRegularFile(file)) {
            return false;
        }
        try (var bytes = Files.newInputStream(file)) {
            return Arrays.equals(QCOW2, bytes.readNBytes(QCOW2.length));
        }
    }

    /** Makes durable what QEMU has written out to it. */
    void sync() throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
