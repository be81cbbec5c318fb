package io.afterimage.command;

import io.afterimage.app.guest.GuestFiles;
import io.afterimage.settings.Accelerator;
import java.time.Duration;
import picocli.CommandLine.Option;

/** How the appliance is run that reads the files of a guest. */
final class ApplianceOptions {

    @Option(names = "--accel", paramLabel = "ACCEL", description = "QEMU's accelerator. Default: AFTERIMAGE_ACCEL, else kvm where it works, else tcg.")
    private String accelerator;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "5m",
            converter = Argument.Period.class,
            description = "How long each request to a guest's file system may take. Default: ${DEFAULT-VALUE}.")
    private Duration patience;

    GuestFiles.Settings settings() {
        return new GuestFiles.Settings(accelerator != null ? accelerator : Accelerator.of(System.getenv()), patience);
    }
}
