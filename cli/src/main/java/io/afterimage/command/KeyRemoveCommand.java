package io.afterimage.command;

import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code afterimage key remove}. */
@Command(
        name = "remove",
        description = "Remove a key slot: what opened it opens the repository no more. The last one stays.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage key remove 3f9a01c2"})
final class KeyRemoveCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Parameters(paramLabel = "SLOT", description = "The slot, as 'afterimage key list' names it.")
    private String slot;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository opened = repository.open()) {
            repository.slots(opened).remove(slot);
            spec.commandLine().getOut().println("Removed key slot " + slot + ".");
        }
        return ExitCode.OK.number();
    }
}
