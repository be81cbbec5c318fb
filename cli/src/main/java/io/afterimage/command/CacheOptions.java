package io.afterimage.command;

import io.afterimage.settings.CacheSettings;
import io.afterimage.settings.RepositoryLocation;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** What a command that serves images keeps of them on this host. */
final class CacheOptions {

    @Option(
            names = "--cache-memory",
            paramLabel = "SIZE",
            defaultValue = "512M",
            converter = Argument.Size.class,
            description = "Memory for what has been read, beside the JVM's heap; at least 16M. Default: ${DEFAULT-VALUE}.")
    private long memory;

    @Option(
            names = "--cache-disk",
            paramLabel = "SIZE",
            converter = Argument.Size.class,
            description = "Space below AFTERIMAGE_CACHE for what has been fetched, encoded as it is stored, shared by all processes of this host; at least"
                    + " 16M, or 0 for none. Default: 8G for a bucket, none for a folder.")
    private Long disk;

    @Option(
            names = "--read-timeout",
            paramLabel = "TIME",
            defaultValue = "30s",
            converter = Argument.Period.class,
            description = "How long a read waits for a store that does not answer; then it fails, and only it. Default: ${DEFAULT-VALUE}.")
    private Duration readTimeout;

    @Spec(Target.MIXEE)
    private CommandSpec spec;

    /** What was chosen; a sentence for the user if it makes no sense. */
    CacheSettings settings(RepositoryLocation location) {
        long otherwise = location instanceof RepositoryLocation.Bucket ? CacheSettings.DISK : 0;
        try {
            return new CacheSettings(memory, disk != null ? disk : otherwise, readTimeout);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), e.getMessage(), e);
        }
    }
}
