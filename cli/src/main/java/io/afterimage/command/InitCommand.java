package io.afterimage.command;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code afterimage init}. */
@Command(
        name = "init",
        description = "Make a repository.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage init --repo /srv/backup"})
final class InitCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Option(
            names = "--chunk-size",
            paramLabel = "SIZE",
            defaultValue = "64k",
            converter = Argument.Chunk.class,
            description = "The unit of change and deduplication, a power of two from 4k to 4M; cannot be changed later. Default: ${DEFAULT-VALUE}.")
    private ChunkSize chunkSize;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository made = repository.assembly().create(repository.location(), chunkSize)) {
            spec.commandLine().getOut().println("Made repository " + made.id() + " in " + repository.location() + ".");
        }
        return ExitCode.OK.number();
    }
}
