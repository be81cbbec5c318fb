package io.afterimage.command;

import io.afterimage.lab.Deadline;
import io.afterimage.nbd.client.ClientOptions;
import io.afterimage.nbd.client.NbdClient;
import io.afterimage.nbd.client.RemoteDevice;
import io.afterimage.nbd.protocol.NbdUri;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/** Users of one repository, each of whom starts one process after the other; and what each point that they make must be. */
final class Crowd implements Closeable {

    private static final int BLOCK = 64 * 1024;
    private static final int BLOCKS = 60;
    /** So few contents that machines share them, and that what was garbage comes again. */
    private static final int CONTENTS = 90;

    private final Program afterimage;
    private final Path folder;
    private final long end;
    private final ServedRepository served;
    private final Map<String, String> hashes = new ConcurrentHashMap<>();
    private final Set<String> forgotten = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> events = new ConcurrentSkipListMap<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private final AtomicInteger files = new AtomicInteger();

    Crowd(Program afterimage, Path folder, long end) throws IOException {
        this.afterimage = afterimage;
        this.folder = folder;
        this.end = end;
        served = ServedRepository.start(afterimage, folder);
    }

    private interface Deed {
        void run(Random random) throws IOException, InterruptedException;
    }

    /** Returns when the time is up, or somebody has found something wrong: then it throws. */
    void run() throws InterruptedException {
        List<Thread> users = new ArrayList<>();
        for (String machine : List.of("web", "db", "mail")) {
            byte[] disk = new byte[BLOCKS * BLOCK];
            users.add(user(machine, random -> backUp(machine, disk, random)));
        }
        users.add(user("restore", this::restore));
        users.add(user("nbd", this::readServed));
        users.add(user("forget", this::forget));
        users.add(user("gc", random -> collect(random.nextInt(2) == 0 ? List.of() : List.of("--compact", "80%"))));
        users.add(user("gc too", random -> collect(List.of("--compact", (20 + random.nextInt(80)) + "%"))));
        for (Thread user : users) {
            user.join();
        }
        if (failure.get() != null) {
            throw new AssertionError(events() + " " + failure.get(), failure.get());
        }
    }

    private Thread user(String name, Deed deed) {
        Random random = new Random(name.hashCode());
        return Thread.ofPlatform().name(name).start(() -> {
            try {
                while (System.nanoTime() < end && failure.get() == null) {
                    deed.run(random);
                }
            } catch (IOException | InterruptedException | RuntimeException | AssertionError e) {
                failure.compareAndSet(null, e);
            }
        });
    }

    private void happened(String event) {
        events.merge(event, 1, Integer::sum);
    }

    int count(String event) {
        return events.getOrDefault(event, 0);
    }

    String events() {
        return events.toString();
    }

    private static void expect(boolean condition, String sentence) {
        if (!condition) {
            throw new AssertionError(sentence);
        }
    }

    private void backUp(String machine, byte[] disk, Random random) throws IOException, InterruptedException {
        byte[] content = new byte[BLOCK];
        for (int i = random.nextInt(25); i >= 0; i--) {
            new Random(random.nextInt(CONTENTS)).nextBytes(content);
            System.arraycopy(content, 0, disk, random.nextInt(BLOCKS) * BLOCK, BLOCK);
        }
        Path image = folder.resolve(machine + ".raw");
        Files.write(image, disk);
        Path log = folder.resolve(machine + ".log");
        Process process = afterimage.start(log, "backup", machine, "--image", "vda=raw:" + image, "--json");
        boolean kill = random.nextInt(5) == 0;
        if (kill) {
            process.waitFor(random.nextInt(3000), TimeUnit.MILLISECONDS);
            process.destroyForcibly();
        }
        expect(process.waitFor(3, TimeUnit.MINUTES), "a backup does not end");
        String said = Files.readString(log, StandardCharsets.UTF_8);
        int exit = process.exitValue();
        happened(kill ? "backups killed" : exit == 0 ? "backed up" : "backups refused");
        expect(kill || exit == 0 || exit == ExitCode.BUSY.number(), "backup: " + exit + " " + said);
        // What is listed now of the machine and was not before is this backup's, however it ended.
        String hash = sha256(disk);
        for (JsonNode point : list(machine)) {
            hashes.putIfAbsent(point.path("point").asString(), hash);
        }
    }

    private List<JsonNode> list(String... machine) {
        Program.Result listed = afterimage.run(Stream.concat(Stream.of("list", "--json"), Stream.of(machine)).toArray(String[]::new));
        if (machine.length > 0 && listed.exit() == ExitCode.NOT_FOUND.number()) {
            return List.of();
        }
        List<JsonNode> points = new ArrayList<>();
        listed.json().forEach(points::add);
        return points;
    }

    private Optional<JsonNode> any(Random random) {
        List<JsonNode> known = list().stream().filter(point -> hashes.containsKey(point.path("point").asString())).toList();
        return known.isEmpty() ? Optional.empty() : Optional.of(known.get(random.nextInt(known.size())));
    }

    private static String selector(JsonNode point) {
        return point.path("machine").asString() + "/vda@" + point.path("point").asString();
    }

    private void restore(Random random) throws IOException {
        Optional<JsonNode> point = any(random);
        if (point.isPresent()) {
            assertRestores(point.get());
        }
    }

    /** Fails unless the point is what was backed up, or has been forgotten meanwhile. */
    private void assertRestores(JsonNode point) throws IOException {
        String id = point.path("point").asString();
        Path file = folder.resolve("restored-" + files.incrementAndGet());
        Program.Result result = afterimage.run("restore", selector(point), "--to", file.toString());
        if (result.exit() == 0) {
            expect(ServedRepository.sha256(file).equals(hashes.get(id)), "the point " + id + " was restored and is another");
            Files.delete(file);
            happened("restored");
        } else {
            expect(forgotten.contains(id), "the point " + id + " cannot be restored: " + result.err());
            happened("forgotten while restored");
        }
    }

    /** Reads half of a disk, and the other half when the point has been forgotten and garbage was collected. */
    private void readServed(Random random) throws IOException, InterruptedException {
        Optional<JsonNode> point = any(random);
        if (point.isEmpty()) {
            return;
        }
        String id = point.get().path("point").asString();
        try (RemoteDevice device = NbdClient.connect(NbdUri.parse(served.uri(selector(point.get()))), ClientOptions.DEFAULT)) {
            Deadline.in(Duration.ofSeconds(20)).await(() -> isHeld(id), () -> "no lease names " + id);
            boolean claim = !forgotten.contains(id);
            ByteBuffer bytes = ByteBuffer.allocate(BLOCKS * BLOCK);
            try {
                device.read(0, bytes.limit(BLOCKS / 2 * BLOCK));
                if (random.nextBoolean()) {
                    forgetOne(point.get());
                    int before = count("collected");
                    Deadline.in(Duration.ofMinutes(2)).await(
                            () -> count("collected") > before + 2 || System.nanoTime() > end, () -> "nobody collects garbage");
                }
                device.read(BLOCKS / 2 * BLOCK, bytes.limit(BLOCKS * BLOCK));
            } catch (IOException e) {
                expect(!claim, "the open point " + id + " cannot be read any more: " + e + " " + served.log());
                happened("forgotten while opened");
                return;
            }
            expect(sha256(bytes.array()).equals(hashes.get(id)), "the point " + id + " was read over NBD and is another");
            happened("read while open");
        } catch (IOException e) {
            expect(forgotten.contains(id), "the point " + id + " is not served: " + e + " " + served.log());
        }
    }

    private boolean isHeld(String id) {
        return objects(afterimage.repository(), "leases/read").stream().anyMatch(lease -> {
            try {
                return Files.readString(lease).contains(id);
            } catch (IOException e) {
                return false;
            }
        });
    }

    private void forgetOne(JsonNode point) {
        String id = point.path("point").asString();
        forgotten.add(id);
        Program.Result result = afterimage.run("forget", point.path("machine").asString() + "@" + id);
        expect(result.exit() == 0 || result.exit() == ExitCode.NOT_FOUND.number(), "forget: " + result.err());
        happened("forgot one");
    }

    private void forget(Random random) {
        List<JsonNode> points = list();
        if (points.size() > 6 + random.nextInt(6)) {
            points.forEach(point -> forgotten.add(point.path("point").asString()));
            afterimage.run("forget", "--keep-last", String.valueOf(1 + random.nextInt(3))).orFail();
            happened("forgot by rule");
            // Those that were kept may be relied on again.
            list().forEach(point -> forgotten.remove(point.path("point").asString()));
        } else if (!points.isEmpty() && random.nextInt(3) == 0) {
            forgetOne(points.get(random.nextInt(points.size())));
        }
    }

    private void collect(List<String> options) {
        List<String> command = new ArrayList<>(List.of("gc", "--grace", "0", "--json"));
        command.addAll(options);
        Program.Result result = afterimage.run(command.toArray(String[]::new));
        if (result.exit() == ExitCode.BUSY.number()) {
            happened("gc refused");
            return;
        }
        JsonNode report = result.json();
        expect(report.path("missingPacks").asInt() == 0, "packs are missing: " + report);
        happened("collected");
        events.merge("packs deleted", report.path("deleted").path("packs").asInt(), Integer::sum);
        events.merge("packs compacted", report.path("compacted").path("packs").asInt(), Integer::sum);
    }

    /** When all is quiet: each point that is listed is what was backed up. */
    void checkAll() throws IOException {
        forgotten.clear();
        for (JsonNode point : list()) {
            expect(hashes.containsKey(point.path("point").asString()), "nobody has made " + point);
            assertRestores(point);
        }
    }

    /** The files below a folder of the repository. */
    static List<Path> objects(Path repository, String below) {
        if (!Files.isDirectory(repository.resolve(below))) {
            return List.of();
        }
        try (Stream<Path> files = Files.walk(repository.resolve(below))) {
            return files.filter(Files::isRegularFile).toList();
        } catch (UncheckedIOException | IOException e) {
            return List.of();
        }
    }

    private static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    @Override
    public void close() {
        served.close();
    }
}
