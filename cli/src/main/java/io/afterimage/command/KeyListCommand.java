package io.afterimage.command;

import io.afterimage.command.output.KeySlotView;
import io.afterimage.keys.KeySlot;
import io.afterimage.repository.KeySlots;
import io.afterimage.repository.Repository;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code afterimage key list}. */
@Command(name = "list", description = "List the key slots of an encrypted repository.", mixinStandardHelpOptions = true)
final class KeyListCommand implements Callable<Integer> {

    @Mixin
    private RepositoryOption repository;

    @Mixin
    private JsonOption json;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        try (Repository opened = repository.open()) {
            KeySlots slots = repository.slots(opened);
            List<KeySlot> present = slots.list();
            json.print(spec, KeySlotView.of(present, slots.own()), KeySlotView.table(present, slots.own()));
        }
        return ExitCode.OK.number();
    }
}
