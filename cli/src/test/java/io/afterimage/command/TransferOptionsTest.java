package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.capture.Yielding;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

final class TransferOptionsTest {

    @Command
    private static final class Line {
        @Mixin
        private TransferOptions transfer;
    }

    private static TransferOptions parse(String... arguments) {
        Line line = new Line();
        new CommandLine(line).parseArgs(arguments);
        return line.transfer;
    }

    @ParameterizedTest
    @ValueSource(strings = {"--nice=20", "--nice=-1", "--yield=1", "--yield=0.5", "--least-rate=0"})
    void whatMakesNoSenseIsRefused(String option) {
        ParameterException refusal = assertThrows(ParameterException.class, () -> parse(option).transfer());
        assertTrue(refusal.getMessage().startsWith(option.substring(0, option.indexOf('='))), refusal.getMessage());
    }

    @Test
    void machinesAreYieldedToUnlessTheyAreNotTo() {
        assertEquals(new Yielding(1.25, 16 << 20), parse().transfer().yielding());
        assertEquals(new Yielding(1.25, 1 << 20), parse("--least-rate=1M").transfer().yielding());
        assertEquals(new Yielding(1.5, 16 << 20), parse("--yield=1.5").transfer().yielding());
        assertEquals(Yielding.NOT, parse("--yield=0").transfer().yielding());
        ParameterException refusal = assertThrows(ParameterException.class, () -> parse("--yield=0", "--least-rate=1M").transfer());
        assertEquals("--least-rate says how far to yield, and --yield 0 not to: leave one of them out.", refusal.getMessage());
    }

    @Test
    void processorsAreANumber() {
        TransferOptions options = parse("--processors=-1");
        assertTrue(options.isUsed());
        ParameterException refusal = assertThrows(ParameterException.class, options::confine);
        assertEquals("--processors -1: give a number of processors, or 0 for all.", refusal.getMessage());
        assertFalse(parse().isUsed());
    }
}
