package io.afterimage.command;

import io.afterimage.chunk.FrameCodec;
import io.afterimage.repository.Repository;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How hard to try to make what is stored small. */
final class CompressionOption {

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    private int level = Repository.DEFAULT_LEVEL;

    @Option(
            names = "--compression-level",
            paramLabel = "-7..19",
            description = "The zstd level for new chunks: higher is smaller and slower, and read as quickly; below 0 (written with '=') is larger and quicker. What is stored already stays as it is. Default: 1.")
    void setLevel(int value) {
        if (!FrameCodec.isLevel(value)) {
            throw new ParameterException(
                    spec.commandLine(), "'" + value + "' is not a compression level: write " + FrameCodec.LOWEST_LEVEL + " to -1, or 1 to " + FrameCodec.HIGHEST_LEVEL + ".");
        }
        level = value;
    }

    /** Sets it for what is added to the repository from now on. */
    void applyTo(Repository repository) {
        repository.setCompressionLevel(level);
    }
}
