package io.afterimage.command;

import io.afterimage.lab.Tool;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The independent reader, {@code docs/formats/read_point.py}. */
final class PointReader {

    // Debian's own: another python3 in the PATH does not find Debian's modules.
    private static final String PYTHON = "/usr/bin/python3";
    private static final Path SCRIPT = checkout("docs/formats/read_point.py");

    private PointReader() {}

    /**
     * Runs it.
     *
     * @param point the beginning of a point's id, or nothing for the latest
     * @param key the options that name the key
     */
    static Tool.Result read(Path repository, String machine, String disk, String point, Path target, List<String> key) {
        List<String> command = new ArrayList<>(
                List.of(PYTHON, SCRIPT.toString(), repository.toString(), machine, disk, target.toString(), "--point", point));
        command.addAll(key);
        return Tool.run(command.toArray(String[]::new));
    }

    /** Fails with the packages to install when the reader cannot run here. */
    static void require() {
        if (Tool.run(PYTHON, "-c", "import zstandard, cryptography, argon2").exit() != 0) {
            throw new IllegalStateException("the independent reader lacks modules: "
                    + "apt-get install python3-zstandard python3-cryptography python3-argon2");
        }
    }

    /** A file or folder of the checkout that the tests run from. */
    static Path checkout(String path) {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve(path))) {
                return at.resolve(path);
            }
        }
        throw new IllegalStateException("no " + path + " above; run the tests from a checkout of the project");
    }
}
