package io.afterimage.command;

import io.afterimage.catalog.Point;
import io.afterimage.catalog.Selector;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage protect}. */
@Command(
        name = "protect",
        description = "Keep a restore point from being forgotten, by any rule and by name, until it is unprotected.",
        mixinStandardHelpOptions = true,
        footer = {"", "Examples:", "  afterimage protect web@2026-03-01", "  afterimage protect web@01a1fde2e0e7 --off"})
final class ProtectCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Parameters(paramLabel = "SELECTOR", description = "machine[@point]; the newest point when none is named.")
    private String selector;

    @Option(names = "--off", description = "Let it be forgotten again.")
    private boolean off;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        Selector parsed = Selector.parse(selector);
        try (Repository opened = repository.open()) {
            Point point = repository.assembly().forgetPoints(opened).protect(parsed, !off);
            spec.commandLine()
                    .getOut()
                    .println("Point " + point.id() + " of " + point.machine() + " as of " + point.time() + " is "
                            + (off ? "not protected any more." : "protected."));
        }
        return ExitCode.OK.number();
    }
}
