package io.afterimage.command;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;

/** The program. */
@Command(
        name = "afterimage",
        description = "Backups of virtual machines that are read in place: every past moment is a disk again, at once.",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        synopsisSubcommandLabel = "COMMAND",
        footer = {
            "",
            "To begin with:",
            "  afterimage init --repo /srv/backup",
            "  export AFTERIMAGE_REPO=/srv/backup",
            "  afterimage backup web --qmp /run/web.qmp",
            "  afterimage boot web"
        })
public final class Afterimage {

    /** As the help lists them. */
    private static final List<Class<?>> COMMANDS = List.of(
            InitCommand.class,
            BackupCommand.class,
            ListCommand.class,
            ShowCommand.class,
            DiffCommand.class,
            FilesCommand.class,
            ServeCommand.class,
            MountCommand.class,
            ExportCommand.class,
            CommitCommand.class,
            DiscardCommand.class,
            RestoreCommand.class,
            BootCommand.class,
            VerifyCommand.class,
            ForgetCommand.class,
            ProtectCommand.class,
            GcCommand.class,
            CopyCommand.class,
            KeyCommand.class,
            GenerateCompletion.class,
            HelpCommand.class);

    /** These tell of all the others. */
    private static final Set<Class<?>> GUIDES = Set.of(GenerateCompletion.class, HelpCommand.class);

    @Option(names = "--stack-trace", scope = ScopeType.INHERIT, description = "Print where an error comes from, for a report.")
    private boolean stackTrace;

    private Afterimage() {}

    /** Runs the command line, and ends the process with its exit code. */
    public static void main(String[] arguments) {
        System.exit(run(
                arguments,
                new PrintWriter(System.out, true, StandardCharsets.UTF_8),
                new PrintWriter(System.err, true, StandardCharsets.UTF_8)));
    }

    /** Runs a command line and returns its exit code. */
    static int run(String[] arguments, PrintWriter out, PrintWriter err) {
        Afterimage program = new Afterimage();
        CommandLine line = new CommandLine(program);
        needed(arguments).forEach(line::addSubcommand);
        line.registerConverter(int.class, new Argument.Whole())
                .registerConverter(Integer.class, new Argument.Whole())
                .setOut(out)
                .setErr(err)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setParameterExceptionHandler(Afterimage::explain)
                .setExecutionExceptionHandler((thrown, command, _) -> program.report(thrown, command));
        try {
            return line.execute(arguments);
        } catch (Error e) {
            return program.report(e, line);
        }
    }

    /** The one command that is named, where one is: to read the options of all takes longer than a quick command runs. */
    private static List<Class<?>> needed(String[] arguments) {
        return COMMANDS.stream()
                .filter(type -> arguments.length > 0 && type.getAnnotation(Command.class).name().equals(arguments[0]))
                .findFirst()
                .filter(type -> !GUIDES.contains(type))
                .<List<Class<?>>>map(List::of)
                .orElse(COMMANDS);
    }

    private static int explain(ParameterException wrong, String[] arguments) {
        CommandLine command = wrong.getCommandLine();
        Throwable cause = wrong.getCause();
        String sentence = cause instanceof IllegalArgumentException && cause.getMessage() != null ? cause.getMessage() : wrong.getMessage();
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + sentence);
        command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return ExitCode.USAGE.number();
    }

    private int report(Throwable thrown, CommandLine command) {
        Failure failure = Failure.of(thrown);
        command.getErr().println(command.getCommandSpec().qualifiedName() + ": " + failure.sentence());
        if (stackTrace) {
            thrown.printStackTrace(command.getErr());
        }
        return failure.exitCode().number();
    }
}
