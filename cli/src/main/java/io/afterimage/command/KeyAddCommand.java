package io.afterimage.command;

import io.afterimage.keys.KeySlot;
import io.afterimage.keys.Secret;
import io.afterimage.repository.KeySlots;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.security.SecureRandom;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code afterimage key add}. */
@Command(
        name = "add",
        description = "Add a key: from now on the repository opens with it, too.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage key add --key-file site.key --new-passphrase-file recovery.txt"})
final class KeyAddCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private NewKeyOption newKey;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository opened = repository.open()) {
            SecureRandom random = repository.assembly().random();
            KeySlots slots = repository.slots(opened);
            Secret secret = newKey.create(spec, random);
            KeySlot slot = slots.add(secret, random);
            spec.commandLine().getOut().println("Added key slot " + slot.id() + " (" + slot.kind() + ").");
        }
        return ExitCode.OK.number();
    }
}
