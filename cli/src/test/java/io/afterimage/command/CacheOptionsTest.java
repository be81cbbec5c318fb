package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.afterimage.settings.CacheSettings;
import io.afterimage.settings.RepositoryLocation;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

final class CacheOptionsTest {

    private static final RepositoryLocation FAR = RepositoryLocation.parse("s3://bucket/prefix");
    private static final RepositoryLocation NEAR = RepositoryLocation.parse("/srv/backup");

    @Command
    private static final class Line {
        @Mixin
        private CacheOptions cache;
    }

    private static CacheOptions parse(String... arguments) {
        Line line = new Line();
        new CommandLine(line).parseArgs(arguments);
        return line.cache;
    }

    @Test
    void whatIsFarIsKeptOnDiskAndWhatIsNearIsNot() {
        assertEquals(new CacheSettings(512L << 20, 8L << 30, Duration.ofSeconds(30)), parse().settings(FAR));
        assertEquals(0, parse().settings(NEAR).disk());
        assertEquals(1L << 30, parse("--cache-disk", "1G").settings(NEAR).disk());
        assertEquals(0, parse("--cache-disk", "0").settings(FAR).disk());
    }

    @Test
    void sizesAndTimesAreReadAsWritten() {
        assertEquals(
                new CacheSettings(64L << 20, 100L << 20, Duration.ofMinutes(2)),
                parse("--cache-memory", "64M", "--cache-disk", "100M", "--read-timeout", "2m").settings(FAR));
    }

    @ParameterizedTest
    @ValueSource(strings = {"--cache-memory=1M", "--cache-disk=1M", "--read-timeout=0"})
    void whatMakesNoSenseIsRefused(String argument) {
        assertThrows(ParameterException.class, () -> parse(argument).settings(FAR));
    }
}
