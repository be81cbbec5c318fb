package io.afterimage.command;

import io.afterimage.app.LimitsFile;
import io.afterimage.app.Transfer;
import io.afterimage.capture.Pace;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.posix.Niceness;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a running machine's disks come to us, and how fast. */
final class TransferOptions {

    private static final int DEFAULT_NICENESS = 10;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description = "With --qmp: pull, and QEMU serves the disks, or push, and it sends them. Default: pull.")
    private Cut.Transfer mode;

    @Option(names = "--rate", paramLabel = "SIZE", converter = Argument.Size.class, description = "Read at most this many bytes per second, such as 20M. Default: no limit.")
    private Long rate;

    @Option(names = "--requests", paramLabel = "N", description = "Have at most this many reads under way at once. Default: no limit of its own.")
    private Integer requests;

    @Option(
            names = "--nice",
            paramLabel = "N",
            description = "How readily processors and disks are left to others while the disks are read, such as to the machine itself: 0 as any process, 19 "
                    + "only what nobody else wants. Default: " + DEFAULT_NICENESS + ".")
    private Integer niceness;

    @Option(
            names = "--limits-file",
            paramLabel = "FILE",
            description = "Lines 'rate SIZE' and 'requests N', 0 for none, in place of --rate and --requests; what is changed there holds within a second.")
    private Path limitsFile;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    private final Pace pace = Pace.unlimited();

    Transfer transfer() {
        if (niceness != null && (niceness < 0 || niceness > Niceness.MOST)) {
            throw new ParameterException(spec.commandLine(), "--nice " + niceness + ": give a number from 0 to " + Niceness.MOST + ".");
        }
        return new Transfer(mode == null ? Cut.Transfer.PULL : mode, pace, niceness == null ? DEFAULT_NICENESS : niceness);
    }

    boolean isPushed() {
        return mode == Cut.Transfer.PUSH;
    }

    /** Sets the limits, and looks after those that may change until closed. */
    Closeable watchLimits() throws IOException {
        if (limitsFile == null) {
            pace.set(rate == null ? 0 : rate, requests == null ? 0 : requests);
            return () -> {};
        }
        if (rate != null || requests != null) {
            throw new ParameterException(spec.commandLine(), "--limits-file takes the place of --rate and --requests: give the one or the others.");
        }
        return LimitsFile.watch(limitsFile, pace);
    }

    /** Whether anything here was asked for. */
    boolean isUsed() {
        return mode != null || rate != null || requests != null || limitsFile != null || niceness != null;
    }
}
