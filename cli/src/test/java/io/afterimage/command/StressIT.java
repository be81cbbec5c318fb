package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Alone;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * Many processes of the program on one repository: backups of changing images, some of them killed, readers, a server with points open, forgetting,
 * two garbage collections without a grace period, with and without compaction. Every point that is listed is what was backed up, all the time and in the end.
 * {@code -Dafterimage.stress.seconds=N} says for how long.
 */
@Alone
class StressIT {

    private static final Duration TIME = Duration.ofSeconds(Long.getLong("afterimage.stress.seconds", 40));

    /** Leases of killed processes are over within the time of the test. */
    private static final Map<String, String> ENVIRONMENT = Map.of(
            "AFTERIMAGE_JAVA_OPTIONS", "-Dafterimage.lease.life=PT15S -Dafterimage.lease.margin=PT5S",
            "AFTERIMAGE_HEAP", "192m");

    @TempDir
    private Path folder;

    @Test
    void nothingIsLost() throws IOException, InterruptedException {
        Program afterimage = new Program(folder).with(ENVIRONMENT);
        afterimage.run("init").orFail();
        try (Crowd crowd = new Crowd(afterimage, folder, System.nanoTime() + TIME.toNanos())) {
            crowd.run();
            crowd.checkAll();
            System.out.println("StressIT: " + crowd.events());
            assertTrue(crowd.count("backed up") > 0 && crowd.count("collected") > 0, crowd.events());
        }
        for (JsonNode point : afterimage.run("list", "--json").json()) {
            afterimage.run("forget", point.path("machine").asString() + "@" + point.path("point").asString()).orFail();
        }
        // Killed processes may have left leases, also such that hold points: they are waited for as a user would, by running it again.
        long end = System.nanoTime() + Duration.ofMinutes(2).toNanos();
        do {
            afterimage.run("gc", "--grace", "0");
        } while (!isEmpty(afterimage) && System.nanoTime() < end);
        assertEquals(List.of(), Crowd.objects(afterimage.repository(), "packs"));
        assertEquals(List.of(), Crowd.objects(afterimage.repository(), "manifests"));
        assertEquals(List.of(), Crowd.objects(afterimage.repository(), "moves"));
    }

    private static boolean isEmpty(Program afterimage) throws IOException {
        for (String kind : List.of("packs", "manifests", "moves")) {
            if (!Crowd.objects(afterimage.repository(), kind).isEmpty()) {
                return false;
            }
        }
        return true;
    }
}
