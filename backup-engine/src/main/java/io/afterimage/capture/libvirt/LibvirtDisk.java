package io.afterimage.capture.libvirt;

import java.util.List;

/**
 * A disk of a domain.
 *
 * @param name what the disk is called in the repository
 * @param target libvirt's name for it, such as {@code vda}
 * @param qdev how QEMU tells the device, so that a disk keeps its name whichever way the machine is backed up
 * @param format the image's, such as {@code qcow2}
 * @param size virtual size in bytes
 * @param storesBitmaps whether the image can keep a bitmap over a stop of the machine: libvirt keeps checkpoints there, and nowhere else
 * @param images its image, and what that is an overlay on, as {@link DomainImages} has them
 */
public record LibvirtDisk(
        String name, String target, String qdev, String format, long size, boolean storesBitmaps, List<String> images) {

    public LibvirtDisk {
        images = List.copyOf(images);
    }
}
