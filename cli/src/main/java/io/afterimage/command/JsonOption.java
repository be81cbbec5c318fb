package io.afterimage.command;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** {@code --json}: the same for every command that prints data. */
final class JsonOption {

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

    @Option(names = "--json", description = "Print JSON, for programs: times are ISO-8601 UTC, sizes are bytes.")
    private boolean json;

    /** Prints the value or, for people, the text. */
    void print(CommandSpec spec, Object value, String text) {
        spec.commandLine().getOut().println(json ? JSON.writeValueAsString(value) : text);
    }
}
