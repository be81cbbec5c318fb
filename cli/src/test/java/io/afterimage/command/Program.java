package io.afterimage.command;

import io.afterimage.lab.Tool;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The packaged program, run as a user runs it, on a repository and a cache in the test's own folder. */
public final class Program {

    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Path LAUNCHER = launcher();
    private static final JsonMapper JSON = new JsonMapper();

    private final Path folder;
    private final Path repository;
    private final Map<String, String> environment;
    private final List<String> prefix;

    public Program(Path folder) {
        this(folder, folder.resolve("repository"), Map.of(), List.of());
    }

    private Program(Path folder, Path repository, Map<String, String> environment, List<String> prefix) {
        this.prefix = prefix;
        this.folder = folder;
        this.repository = repository;
        this.environment = environment;
    }

    /** The same host, another repository. */
    public Program on(Path otherRepository) {
        return new Program(folder, otherRepository, environment, prefix);
    }

    /** The same, with one more variable in its environment. */
    public Program with(String variable, String value) {
        Map<String, String> more = new HashMap<>(environment);
        more.put(variable, value);
        return new Program(folder, repository, Map.copyOf(more), prefix);
    }

    /** The same, with more in its environment. */
    public Program with(Map<String, String> variables) {
        Map<String, String> more = new HashMap<>(environment);
        more.putAll(variables);
        return new Program(folder, repository, Map.copyOf(more), prefix);
    }

    /** The same, whose {@link #temporaryFiles} are gone with the test's folder also where it is killed. */
    public Program thatMayBeKilled() throws IOException {
        return with("AFTERIMAGE_JAVA_OPTIONS", "-Djava.io.tmpdir=" + Files.createDirectories(temporaryFiles()));
    }

    /** The same, started by way of another program, which takes these words and then ours. */
    public Program behind(List<String> words) {
        return new Program(folder, repository, environment, List.copyOf(words));
    }

    private static Path launcher() {
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path candidate = at.resolve("cli/target/afterimage/bin/afterimage");
            if (Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        throw new IllegalStateException("the program is not built: run 'make build'");
    }

    public Path repository() {
        return repository;
    }

    /** Where backups keep their scratch. */
    public Path scratch() {
        return folder.resolve("cache/scratch");
    }

    /** Where {@link #thatMayBeKilled} keeps what is gone when it ends. */
    public Path temporaryFiles() {
        return folder.resolve("tmp");
    }

    /** How a run ended, with its two streams apart. */
    public record Result(int exit, String out, String err) {

        /** This, if the program ended well; else the test fails with what it said. */
        public Result orFail() {
            if (exit != 0) {
                throw new AssertionError("afterimage ended with " + exit + ":\n" + out + err);
            }
            return this;
        }

        public JsonNode json() {
            return JSON.readTree(orFail().out);
        }
    }

    /** Runs it to its end. */
    public Result run(String... arguments) {
        return run(builder(arguments), "");
    }

    /** Runs it to its end on a terminal of its own, at which somebody has typed; both streams come out as one. */
    public Result onTerminal(String typed, String... arguments) {
        ProcessBuilder builder = builder(arguments);
        builder.command("script", "--quiet", "--return", "--command", String.join(" ", builder.command()), "/dev/null");
        return run(builder, typed);
    }

    private Result run(ProcessBuilder builder, String typed) {
        try {
            Path in = Files.writeString(Files.createTempFile(folder, "in", ""), typed);
            Path out = Files.createTempFile(folder, "out", "");
            Path err = Files.createTempFile(folder, "err", "");
            Process process = builder.redirectInput(in.toFile()).redirectOutput(out.toFile()).redirectError(err.toFile()).start();
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(String.join(" ", builder.command()) + " does not end:\n"
                        + Files.readString(out) + Files.readString(err));
            }
            return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    /** Starts it; its streams go to {@code log}. It dies with this JVM. */
    public Process start(Path log, String... arguments) throws IOException {
        return start(Map.of(), log, arguments);
    }

    /** The same, with more in its environment. */
    public Process start(Map<String, String> environment, Path log, String... arguments) throws IOException {
        // Signals as on a terminal: whoever runs the tests in the background has Ctrl-C ignored, and we would inherit that.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal", "setpriv", "--pdeathsig", "KILL"));
        command.addAll(builder(arguments).command());
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().putAll(builder(arguments).environment());
        builder.environment().putAll(environment);
        return builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    }

    private ProcessBuilder builder(String... arguments) {
        List<String> command = new ArrayList<>(prefix);
        command.add(LAUNCHER.toString());
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().put("AFTERIMAGE_REPO", repository.toString());
        builder.environment().put("AFTERIMAGE_CACHE", folder.resolve("cache").toString());
        builder.environment().put("AFTERIMAGE_STATE", folder.resolve("state").toString());
        builder.environment().putAll(environment);
        return builder;
    }

    /** Makes a raw image with these bytes at offset 0. */
    public Path image(String name, long size, byte[] begin) {
        Path image = folder.resolve(name);
        Tool.run("truncate", "--size=" + size, image.toString()).orFail();
        try (var file = Files.newByteChannel(image, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(begin));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return image;
    }
}
