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

/** {@code afterimage key change}. */
@Command(
        name = "change",
        description = "Put a new key in the place of the one that opens the repository now.",
        mixinStandardHelpOptions = true,
        footer = {"", "Example:", "  afterimage key change --passphrase-file old --new-passphrase-file new"})
final class KeyChangeCommand implements Callable<Integer> {

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
            KeySlot slot = slots.replaceOwn(secret, random);
            spec.commandLine().getOut().println(
                    "Key slot " + slot.id() + " (" + slot.kind() + ") has taken the place of " + slots.own().id() + ".");
        }
        return ExitCode.OK.number();
    }
}
