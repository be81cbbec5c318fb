package io.afterimage.command;

import io.afterimage.app.SourceException;
import io.afterimage.app.backup.LimitsFile;
import io.afterimage.app.backup.Transfer;
import io.afterimage.capture.Pace;
import io.afterimage.capture.Yielding;
import io.afterimage.capture.qemu.Cut;
import io.afterimage.posix.Niceness;
import io.afterimage.posix.Processors;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a running machine's disks come to us, and how fast. */
final class TransferOptions {

    private static final Logger LOG = LoggerFactory.getLogger(TransferOptions.class);
    private static final int DEFAULT_NICENESS = 10;
    /** Of means; the slowest in a hundred requests take about half as long again then (docs/decisions/0024). */
    private static final double DEFAULT_FACTOR = 1.25;
    /** What QEMU does for more than that is felt where processors are short, and less gains little (docs/decisions/0024). */
    private static final long DEFAULT_LEAST_RATE = 16L << 20;
    /** One is read while another is worked on; more only have QEMU read in bursts, which its guest waits for. */
    private static final int REQUESTS_PER_PROCESSOR = 2;

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description = "With --qmp: pull, and QEMU serves the disks, or push, and it sends them. Default: pull.")
    private Cut.Transfer mode;

    @Option(names = "--rate", paramLabel = "SIZE", converter = Argument.Size.class, description = "Read at most this many bytes per second, such as 20M. Default: no limit.")
    private Long rate;

    @Option(names = "--requests", paramLabel = "N", description = "Have at most this many reads, or writes of QEMU's, under way at once; 0 is no limit. Default: when disks are pulled, two for each processor that the backup has been given by default, else no limit.")
    private Integer requests;

    @Option(
            names = "--nice",
            paramLabel = "N",
            description = "How readily processors and disks are left to others while the disks are read, such as to the machine itself: 0 as any process, 19 "
                    + "only what nobody else wants. Default: " + DEFAULT_NICENESS + ".")
    private Integer niceness;

    @Option(
            names = "--processors",
            paramLabel = "N",
            description = "With --qmp or --libvirt: run on at most so many of the processors that this process may use, so that the others are the machines' alone; 0 is all. "
                    + "Default: half of the host's, where this process is not confined to fewer already.")
    private Integer processors;

    @Option(
            names = "--yield",
            paramLabel = "FACTOR",
            description = "With --qmp or --libvirt: read more slowly while the machine's own reads and writes take more than this many times as long as they do when "
                    + "little is read; 0 is never. Default: " + DEFAULT_FACTOR + ".")
    private Double factor;

    @Option(
            names = "--least-rate",
            paramLabel = "SIZE",
            converter = Argument.Size.class,
            description = "Where a machine is yielded to: but no more slowly than so many bytes per second, so that the backup comes to its end. Default: 16M.")
    private Long leastRate;

    @Option(
            names = "--limits-file",
            paramLabel = "FILE",
            description = "Lines 'rate SIZE' and 'requests N', 0 for none, in place of --rate and --requests; what is changed there holds within a second.")
    private Path limitsFile;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    private final Pace pace = Pace.unlimited();
    private int defaultRequests;

    Transfer transfer() {
        if (niceness != null && (niceness < 0 || niceness > Niceness.MOST)) {
            throw new ParameterException(spec.commandLine(), "--nice " + niceness + ": give a number from 0 to " + Niceness.MOST + ".");
        }
        return new Transfer(mode == null ? Cut.Transfer.PULL : mode, pace, yielding(), niceness == null ? DEFAULT_NICENESS : niceness);
    }

    /** Leaves processors to the machines: from now on, since a guest feels the start of a backup as well. */
    void confine() throws IOException {
        if (processors != null && processors < 0) {
            throw new ParameterException(spec.commandLine(), "--processors " + processors + ": give a number of processors, or 0 for all.");
        }
        try {
            if (processors == null) {
                confineByDefault();
            } else {
                Processors.useAtMost(processors == 0 ? Processors.online() : processors);
            }
        } catch (IOException e) {
            throw new SourceException("--processors " + processors + ": the processors of this process cannot be chosen (" + e.getMessage()
                    + "): let it call sched_setaffinity and read /proc and /sys, or leave the option out.", e);
        }
    }

    private void confineByDefault() {
        try {
            int all = Processors.online();
            if (Processors.allowed() < all) {
                Processors.useAtMost(all);
                return;
            }
            int half = Math.max(1, all / 2);
            Processors.useAtMost(half);
            defaultRequests = isPushed() ? 0 : REQUESTS_PER_PROCESSOR * half;
        } catch (IOException e) {
            // As where a unit's SystemCallFilter= has it: no reason not to back up.
            LOG.info("The backup runs on all processors: {}", e.getMessage());
        }
    }

    private Yielding yielding() {
        if (factor != null && factor == 0) {
            if (leastRate != null) {
                throw new ParameterException(spec.commandLine(), "--least-rate says how far to yield, and --yield 0 not to: leave one of them out.");
            }
            return Yielding.NOT;
        }
        if (factor != null && !(factor > 1)) {
            throw new ParameterException(spec.commandLine(), "--yield " + factor + ": give a factor above 1, or 0 not to yield.");
        }
        if (leastRate != null && leastRate == 0) {
            throw new ParameterException(spec.commandLine(), "--least-rate 0: a backup that stands still would never end; give a size, such as 1M.");
        }
        return new Yielding(factor == null ? DEFAULT_FACTOR : factor, leastRate == null ? DEFAULT_LEAST_RATE : leastRate);
    }

    boolean isPushed() {
        return mode == Cut.Transfer.PUSH;
    }

    /** Sets the limits, and looks after those that may change until closed. */
    Closeable watchLimits() throws IOException {
        if (limitsFile == null) {
            pace.set(rate == null ? 0 : rate, requests == null ? defaultRequests : requests);
            return () -> {};
        }
        if (rate != null || requests != null) {
            throw new ParameterException(spec.commandLine(), "--limits-file takes the place of --rate and --requests: give the one or the others.");
        }
        return LimitsFile.watch(limitsFile, pace);
    }

    /** Whether anything here was asked for. */
    boolean isUsed() {
        return mode != null || rate != null || requests != null || limitsFile != null || niceness != null || processors != null || factor != null || leastRate != null;
    }
}
