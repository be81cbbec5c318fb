package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.server.Limits;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

final class LimitOptionsTest {

    @Command
    private static final class Line {
        @Mixin
        private LimitOptions limits;
    }

    private static LimitOptions parse(String... arguments) {
        Line line = new Line();
        new CommandLine(line).parseArgs(arguments);
        return line.limits;
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "3M", "1.5", "99999999999"})
    void whatIsNoNumberIsSaidToBeNone(String word) {
        StringWriter err = new StringWriter();
        String[] arguments = {"serve", "--nbd", "unix:s", "--max-connections", word};
        assertEquals(ExitCode.USAGE.number(), Afterimage.run(arguments, new PrintWriter(new StringWriter()), new PrintWriter(err, true)));
        assertTrue(err.toString().contains("'--max-connections': '" + word + "' is no whole number from"), err::toString);
    }

    @Test
    void theDefaultsAreThoseOfTheServer() {
        assertEquals(Limits.DEFAULT, parse().limits());
        assertEquals(BlockSizes.DEFAULT, parse().blockSizes());
    }

    @Test
    void eachCanBeSet() {
        LimitOptions options = parse(
                "--max-connections=1", "--max-negotiation-time=2", "--max-options=3", "--max-option-size=8k", "--max-payload=1M",
                "--max-requests=5", "--max-in-flight=6k", "--max-total-in-flight=64M", "--max-stall-time=8");
        assertEquals(
                new Limits(1, Duration.ofSeconds(2), 3, 8192, 5, 6144, 64L << 20, Duration.ofSeconds(8)), options.limits());
        assertEquals(1 << 20, options.blockSizes().maximum());
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "--max-connections=0", "--max-negotiation-time=0", "--max-negotiation-time=-1", "--max-options=0", "--max-option-size=8191",
        "--max-option-size=2M", "--max-requests=0", "--max-in-flight=0", "--max-total-in-flight=63M", "--max-stall-time=0"})
    void aLimitThatMakesNoSenseIsASentence(String argument) {
        LimitOptions options = parse(argument);
        String message = assertThrows(IllegalArgumentException.class, options::limits).getMessage();
        assertTrue(message.endsWith("."), message);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--max-payload=512k", "--max-payload=64M", "--max-payload=3M"})
    void aPayloadThatMakesNoSenseIsASentence(String argument) {
        LimitOptions options = parse(argument);
        assertTrue(assertThrows(IllegalArgumentException.class, options::blockSizes).getMessage().endsWith("bytes."));
    }

    @Test
    void helpShowsEachWithItsDefault() {
        StringWriter help = new StringWriter();
        Afterimage.run(new String[] {"serve", "--help"}, new PrintWriter(help, true), new PrintWriter(help, true));
        String text = help.toString().replaceAll("\\s+", " ");
        Matcher options = Pattern.compile(" (--max-[a-z-]+)=[A-Z]+ ").matcher(text);
        assertEquals(9, options.results().map(MatchResult::group).distinct().count(), text);
        for (String value : new String[] {"256", "10", "64", "64k", "32M", "16M", "256M"}) {
            assertTrue(text.contains("Default: " + value + "."), () -> value + " is not shown: " + text);
        }
    }
}
