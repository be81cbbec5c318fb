package io.afterimage.app.boot;

import io.afterimage.app.TargetException;
import io.afterimage.app.machine.CapturedMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes QEMU's options for a machine's type and firmware out of what was captured of them. */
final class BootFirmware {

    /** Where distributions put firmware. A point names a file of another host's, and maybe an attacker's choice: no other is taken. */
    private static final Path INSTALLED = Path.of("/usr/share");

    private static final Set<String> FORMATS = Set.of("raw", "qcow2");

    private final CapturedMachine machine;

    BootFirmware(CapturedMachine machine) {
        this.machine = machine;
    }

    /**
     * The options.
     *
     * @param folder where the firmware's variables go, as a copy that may be written to
     * @param more the user's own options: one who chooses a firmware gets that
     */
    List<String> options(Path folder, List<String> more) throws IOException {
        boolean isQ35 = machine.machine().filter(type -> type.contains("q35")).isPresent();
        Optional<CapturedMachine.Firmware> firmware = machine.firmware().filter(_ -> more.stream().noneMatch(BootFirmware::choosesFirmware));
        boolean secure = firmware.isPresent() && firmware.get().secure() && isQ35;
        List<String> options = new ArrayList<>();
        if (isQ35) {
            options.addAll(List.of("-machine", secure ? "q35,smm=on" : "q35"));
        }
        if (secure) {
            options.addAll(List.of("-global", "driver=cfi.pflash01,property=secure,value=on"));
        }
        if (firmware.isPresent()) {
            add(options, firmware.get(), folder);
        }
        return options;
    }

    private static boolean choosesFirmware(String option) {
        return option.equals("-bios") || option.equals("-pflash") || option.contains("if=pflash");
    }

    private static void add(List<String> options, CapturedMachine.Firmware firmware, Path folder) throws IOException {
        Path code = Path.of(firmware.code()).normalize();
        if (!code.startsWith(INSTALLED) || !Files.isReadable(code) || !FORMATS.contains(firmware.codeFormat())) {
            throw new TargetException("The machine was started by the firmware " + firmware.code()
                    + ", which is not on this host: install its package, which is ovmf as a rule, or give QEMU another one after '--', such as"
                    + " -bios FILE.");
        }
        options.addAll(List.of("-drive", "if=pflash,unit=0,readonly=on,format=" + firmware.codeFormat() + ",file=" + escape(code)));
        if (firmware.variables().isPresent() && FORMATS.contains(firmware.variablesFormat())) {
            Path variables = Files.write(folder.resolve("nvram.fd"), firmware.variables().get());
            options.addAll(List.of("-drive", "if=pflash,unit=1,format=" + firmware.variablesFormat() + ",file=" + escape(variables)));
        }
    }

    private static String escape(Path file) {
        return file.toString().replace(",", ",,");
    }
}
