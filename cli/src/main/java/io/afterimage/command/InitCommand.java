package io.afterimage.command;

import io.afterimage.chunk.ChunkSize;
import io.afterimage.keys.Secret;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code afterimage init}. */
@Command(
        name = "init",
        description = "Make a repository.",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "Examples:",
            "  afterimage init --repo /srv/backup",
            "  afterimage init --repo s3://backup/site --encrypt --key-file /etc/afterimage/site.key",
            "",
            "A key file that is not there is made. Keep a copy of it away from this host and away from the repository: without it nothing can be read."
        })
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

    @Option(
            names = "--encrypt",
            description = "Encrypt all content, with --key-file or --passphrase-file, or with a passphrase asked for. Cannot be changed later; keys can.")
    private boolean encrypt;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        KeyOption key = repository.key();
        if (!encrypt && key.named().isPresent()) {
            throw new ParameterException(spec.commandLine(), "A key is named: say --encrypt as well, or name none.");
        }
        Optional<Secret> secret = encrypt ? Optional.of(key.create(spec, repository.assembly().random())) : Optional.empty();
        try (Repository made = repository.assembly().create(repository.location(), chunkSize, secret)) {
            spec.commandLine().getOut().println(
                    "Made " + (encrypt ? "encrypted " : "") + "repository " + made.id() + " in " + repository.location() + ".");
        }
        return ExitCode.OK.number();
    }
}
