package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Alone;
import io.afterimage.lab.Guest;
import io.afterimage.lab.Tool;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Two machines that are backed up as one. */
@Alone
class GroupIT {

    /** The disks are cut by one command to each QEMU, both at once; this is what a very busy machine may make of it. */
    private static final long SPREAD_NANOS = 10_000_000_000L;

    @TempDir
    Path folder;

    @Test
    void allAreFrozenCutAndThawedTogetherOrNone() throws IOException {
        Program afterimage = new Program(folder);
        afterimage.run("init").orFail();
        try (Guest web = Guest.tiny(folder.resolve("w")).start();
                Guest db = Guest.tiny(folder.resolve("d")).start()) {
            web.awaitReady();
            db.awaitReady();
            JsonNode points = backUp(afterimage, web, db).json();
            assertEquals(2, points.size());
            JsonNode group = points.path(0).path("group");
            assertEquals(group, points.path(1).path("group"));
            assertEquals("shop", group.path("name").asString());
            assertEquals(points.path(0).path("point").asString(), group.path("id").asString());
            assertTrue(group.path("spreadNanos").asLong() > 0 && group.path("spreadNanos").asLong() < SPREAD_NANOS, group.toString());
            for (Guest member : List.of(web, db)) {
                assertEquals("freeze\nthaw\n", member.run("cut -d' ' -f1 /run/fsfreeze.log"));
            }
            points.forEach(point -> assertEquals("file_system", point.path("consistency").path("level").asString()));
            assertEquals(points.path(0).path("group"), afterimage.run("list", "web", "--json").json().path(0).path("group"));
            assertTrue(afterimage.run("show", "db@latest").orFail().out().contains("shop@"), "show tells the group");

            // One agent is gone: nothing of either machine, and the other guest goes on.
            db.run("kill -STOP $(pidof qemu-ga)");
            Program.Result refused = backUp(afterimage, web, db);
            db.run("kill -CONT $(pidof qemu-ga)");
            assertEquals(ExitCode.SOURCE.number(), refused.exit(), refused.err());
            assertTrue(refused.err().contains("The guest of 'db' was not frozen"), refused.err());
            assertEquals(2, afterimage.run("list", "--json").json().size());
            web.run("diary still here && sync");
            assertEquals("freeze\nthaw\nfreeze\nthaw\n", web.run("cut -d' ' -f1 /run/fsfreeze.log"));

            JsonNode next = backUp(afterimage, web, db).json();
            next.forEach(point -> assertEquals("incremental", point.path("kind").asString()));

            Path target = folder.resolve("restored");
            afterimage.run("restore", "--group", "shop@latest", "--to-folder", target.toString()).orFail();
            for (String machine : List.of("web", "db")) {
                Path alone = folder.resolve(machine + ".raw");
                afterimage.run("restore", machine, "--to", alone.toString()).orFail();
                Tool.run("cmp", alone.toString(), target.resolve(machine).resolve("root.raw").toString()).orFail();
            }
            String first = group.path("id").asString();
            afterimage.run("forget", "db", "--keep-last", "1").orFail();
            Program.Result partial = afterimage.run("restore", "--group", "shop@" + first, "--to-folder", folder.resolve("p").toString());
            assertEquals(ExitCode.NOT_FOUND.number(), partial.exit(), partial.err());
            assertTrue(partial.err().contains("of 'db' there is no point"), partial.err());
            assertTrue(Files.notExists(folder.resolve("p")), "nothing is begun");
        }
    }

    private static Program.Result backUp(Program afterimage, Guest web, Guest db) {
        return afterimage.run(
                "backup", "--group", "shop", "--json", "--quiesce", "required", "--quiesce-limit", "10s",
                "--member", "web=" + web.qmpSocket() + ",agent=" + web.agentSocket(),
                "--member", "db=" + db.qmpSocket() + ",agent=" + db.agentSocket());
    }
}
