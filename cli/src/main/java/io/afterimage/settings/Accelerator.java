package io.afterimage.settings;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What QEMU runs guests with on this host. */
public final class Accelerator {

    private static final Path KVM = Path.of("/dev/kvm");

    /** Present where the kernel's KVM is an emulation in software that ordinary guest kernels do not survive. */
    private static final Path PVM = Path.of("/sys/module/kvm_pvm");

    private Accelerator() {}

    /** {@code AFTERIMAGE_ACCEL}, else KVM where it can be used, else emulation. */
    public static String of(Map<String, String> environment) {
        String own = environment.getOrDefault("AFTERIMAGE_ACCEL", "");
        if (!own.isEmpty()) {
            return own;
        }
        boolean usable = Files.isReadable(KVM) && Files.isWritable(KVM) && !Files.exists(PVM);
        return usable ? "kvm" : "tcg,thread=multi";
    }
}
