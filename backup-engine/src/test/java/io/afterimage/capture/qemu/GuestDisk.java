package io.afterimage.capture.qemu;

import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/** What the test's guest believes to be on its disk, and which chunks it has touched since it last looked. */
final class GuestDisk {

    private static final int CHUNK = 64 << 10;

    private final Supplier<BareQemu> qemu;
    private final String device;
    private final byte[] content;
    private final TreeSet<Long> touched = new TreeSet<>();

    GuestDisk(Supplier<BareQemu> qemu, String device, int size) {
        this.qemu = qemu;
        this.device = device;
        this.content = new byte[size];
    }

    void write(int offset, int length, int pattern) throws IOException {
        qemu.get().io(device, "write -P " + pattern + " " + offset + " " + length);
        changed(offset, length, pattern);
    }

    /** A write that QEMU counts, as it does those of a device's driver; qemu-io's others it does not. */
    void countedWrite(int offset, int length, int pattern) throws IOException {
        qemu.get().io(device, "aio_write -P " + pattern + " " + offset + " " + length);
        qemu.get().io(device, "aio_flush");
        changed(offset, length, pattern);
    }

    void zero(int offset, int length) throws IOException {
        qemu.get().io(device, "write -z -u " + offset + " " + length);
        changed(offset, length, 0);
    }

    /**
     * Both of the test's formats read zeros after a discard of whole clusters. Not for use during a backup: QEMU's
     * copy-before-write filter lets no discard through, which a guest must expect of any disk.
     */
    void discard(int offset, int length) throws IOException {
        qemu.get().io(device, "discard " + offset + " " + length);
        changed(offset, length, 0);
    }

    byte[] content() {
        return content.clone();
    }

    /** The first bytes of the chunks touched since the last call. */
    Set<Long> takeTouched() {
        var taken = new TreeSet<>(touched);
        touched.clear();
        return taken;
    }

    private void changed(int offset, int length, int pattern) {
        Arrays.fill(content, offset, offset + length, (byte) pattern);
        for (long chunk = offset / CHUNK; chunk * CHUNK < offset + length; chunk++) {
            touched.add(chunk * CHUNK);
        }
    }
}
