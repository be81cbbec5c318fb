package io.afterimage.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * Where the lab's recipes are and where what they build is kept. Images are built once into a folder that outlives a
 * test run and are never written to by a guest.
 */
public final class Lab {
    private static final Duration BUILD = Duration.ofMinutes(10);
    private static final Path RECIPES = recipes();

    private Lab() {}

    /** The folder of built images: the system property {@code afterimage.lab}, else {@code cli/target/lab}. */
    public static Path folder() {
        String chosen = System.getProperty("afterimage.lab");
        return chosen != null ? Path.of(chosen).toAbsolutePath() : RECIPES.resolve("../../target/lab").normalize();
    }

    /** The small machine, built if need be: a raw disk of 256 MiB that boots by itself. Read-only. */
    public static Path tinyDisk() {
        build("tiny-guest");
        return folder().resolve("tiny.raw");
    }

    /** A Debian machine with guest agent and usual tools, built if need be: a raw disk of 2 GiB. Read-only. */
    public static Path debianDisk() {
        build("debian-guest");
        return folder().resolve("debian.raw");
    }

    /** A folder of disks with all sorts of file systems, whose files are known, built if need be: see the recipe. Read-only. */
    public static Path fileSystems() {
        build("tiny-guest");
        build("file-systems");
        return folder().resolve("file-systems");
    }

    /** The QEMU of a newer Debian, unpacked beside the host's if need be; the test is skipped, and says why, where it cannot be had. */
    public static String newerQemu() {
        return unpacked("newer-qemu", folder().toString());
    }

    /** One of that series, 8 or 9, which are between the host's and the newest; on the same terms. */
    public static String newerQemu(int series) {
        return unpacked("newer-qemu-" + series, folder().toString(), Integer.toString(series));
    }

    private static String unpacked(String place, String... arguments) {
        List<String> words = new ArrayList<>(List.of(recipe("newer-qemu")));
        words.addAll(List.of(arguments));
        Tool.Result made = Tool.run(BUILD, words.toArray(String[]::new));
        if (made.exit() != 0) {
            System.err.println("SKIPPED: " + place + " cannot be had (mirrors of Debian and Ubuntu are needed): " + made.text());
        }
        Assumptions.assumeTrue(made.exit() == 0, "no newer QEMU");
        return folder().resolve(place).resolve("run").toString();
    }

    /** What QEMU's {@code -accel} shall get here, by having tried it (see {@code accelerator}). */
    public static String accelerator() {
        build("tiny-guest");
        return Tool.run(BUILD, recipe("accelerator"), folder().toString()).orFail().text().strip();
    }

    static String libvirtHost() {
        return recipe("libvirt-host");
    }

    /** The library behind {@link Tripwire}, compiled if need be. */
    static synchronized Path tripwireLibrary() {
        Path source = RECIPES.resolve("tripwire.c");
        Path library = folder().resolve("tripwire.so");
        try {
            if (!Files.exists(library) || Files.getLastModifiedTime(library).compareTo(Files.getLastModifiedTime(source)) < 0) {
                Files.createDirectories(folder());
                Path fresh = Files.createTempFile(folder(), "tripwire", ".so");
                Tool.run("gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", fresh.toString(),
                        source.toString(), "-ldl").orFail();
                // Another test run may be using the old one at this moment.
                Files.move(fresh, library, StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return library;
    }

    private static synchronized void build(String recipe) {
        Tool.run(BUILD, recipe(recipe), folder().toString()).orFail();
    }

    private static String recipe(String name) {
        return RECIPES.resolve(name).toString();
    }

    private static Path recipes() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path candidate = at.resolve("cli/src/lab");
            if (Files.isDirectory(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("no cli/src/lab above " + Path.of("").toAbsolutePath()
                + "; run the tests from a checkout of the project");
    }
}
