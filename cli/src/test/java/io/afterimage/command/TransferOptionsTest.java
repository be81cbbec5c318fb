package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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
    @ValueSource(strings = {"--nice=20", "--nice=-1", "--yield=1", "--yield=0.5", "--least-rate=1M"})
    void whatMakesNoSenseIsRefused(String option) {
        ParameterException refusal = assertThrows(ParameterException.class, () -> parse(option).transfer());
        assertTrue(refusal.getMessage().startsWith(option.substring(0, option.indexOf('='))), refusal.getMessage());
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
