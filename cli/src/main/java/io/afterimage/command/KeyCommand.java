package io.afterimage.command;

import picocli.CommandLine.Command;

/** {@code afterimage key}. */
@Command(
        name = "key",
        description = "List and change what opens an encrypted repository. No data is rewritten.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        subcommands = {KeyListCommand.class, KeyAddCommand.class, KeyRemoveCommand.class, KeyChangeCommand.class},
        footer = {
            "",
            "Example: a new passphrase for an old one",
            "  afterimage key change --passphrase-file old --new-passphrase-file new",
            "",
            "Whoever has kept a copy of the file repository.json opens that copy with a key that was removed since, and has the data's key with it."
        })
final class KeyCommand {}
