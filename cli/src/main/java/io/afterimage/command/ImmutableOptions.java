package io.afterimage.command;

import io.afterimage.assembly.Assembly;
import io.afterimage.repository.Immutability;
import io.afterimage.repository.Repository;
import io.afterimage.store.Retention;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What keeps a new point from being deleted: {@code --immutable}. */
final class ImmutableOptions {

    private static final Duration SHORTEST = Duration.ofDays(1);
    private static final Duration LONGEST = Duration.ofDays(36_500);

    @Option(
            names = "--immutable",
            paramLabel = "TIME",
            converter = Argument.Period.class,
            description = "Nobody can delete the point's objects for so long, such as 30d, and up to ten days or a third longer: by object lock, "
                    + "in a bucket that was made with it.")
    private Duration period;

    @Option(
            names = "--retention-mode",
            paramLabel = "MODE",
            description = "With --immutable: GOVERNANCE, which a permission of its own can end early, or COMPLIANCE, which nobody can, so that what "
                    + "was stored costs until the end. Default: GOVERNANCE.")
    private Retention.Mode mode;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** What was asked for, if anything; a request tells whether the store can do it. */
    Optional<Immutability> immutability(Assembly assembly, Repository repository) throws IOException {
        if (period == null) {
            if (mode != null) {
                throw new ParameterException(spec.commandLine(), "--retention-mode says how, and --immutable TIME for how long: give both.");
            }
            return Optional.empty();
        }
        if (period.compareTo(SHORTEST) < 0 || period.compareTo(LONGEST) > 0) {
            throw new ParameterException(
                    spec.commandLine(), "A point can be immutable for " + SHORTEST.toDays() + "d to " + LONGEST.toDays() + "d: give --immutable a time between.");
        }
        return Optional.of(assembly.immutability(repository, mode == null ? Retention.Mode.GOVERNANCE : mode, period));
    }
}
