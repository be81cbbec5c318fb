package io.afterimage.command;

import io.afterimage.boot.BootProfiling;
import io.afterimage.boot.Occasion;
import io.afterimage.repository.Repository;
import java.util.Optional;
import picocli.CommandLine.Option;

/** {@code --no-profile}: the same for every command from which machines boot. */
final class ProfileOption {

    @Option(
            names = "--no-profile",
            description = "Do not fetch ahead what the boot before has read, and do not record what is read. Default: do both, in"
                    + " profiles/ of the repository.")
    private boolean off;

    /** @param occasion what disks of this repository are going to be opened for */
    Optional<BootProfiling> profiling(Repository repository, Occasion occasion) {
        return off ? Optional.empty() : Optional.of(new BootProfiling(repository, occasion));
    }
}
