package io.afterimage.lab;

import java.nio.file.Path;

/**
 * A disk of a guest: a QEMU block node of the disk's own name over a node {@code NAME-file}; its device is
 * {@code dev-NAME}. The guest sees the disks as vda, vdb, … in the order in which they were given.
 *
 * @param name the node's name in QEMU
 * @param format {@code qcow2} or {@code raw}
 */
public record GuestDisk(String name, Path file, String format) {

    /** An existing qcow2 file: the format that can keep a dirty bitmap when QEMU ends. */
    public static GuestDisk qcow2(String name, Path file) {
        return new GuestDisk(name, file, "qcow2");
    }

    public static GuestDisk raw(String name, Path file) {
        return new GuestDisk(name, file, "raw");
    }

    /** A new, empty qcow2 file of so many bytes, a multiple of 512. */
    public static GuestDisk empty(String name, Path file, long bytes) {
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", file.toString(), Long.toString(bytes)).orFail();
        return qcow2(name, file);
    }

    /**
     * A new qcow2 file that holds only the changes to something else.
     *
     * @param backing a file or an NBD URI; it is not written to
     */
    public static GuestDisk overlay(String name, Path file, String backing, String backingFormat) {
        Tool.run("qemu-img", "create", "-q", "-f", "qcow2", "-b", backing, "-F", backingFormat, file.toString()).orFail();
        return qcow2(name, file);
    }

    String blockdev() {
        return """
                {"driver":"%s","node-name":"%s","discard":"unmap",\
                "file":{"driver":"file","node-name":"%s-file","filename":"%s","discard":"unmap"}}"""
                .formatted(format, name, name, file);
    }

    String device() {
        return "virtio-blk-pci,drive=%s,id=dev-%s".formatted(name, name);
    }
}
