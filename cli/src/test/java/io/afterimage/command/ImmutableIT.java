package io.afterimage.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.lab.Tool;
import io.afterimage.store.s3.CephServer;
import io.afterimage.store.s3.S3TestBucket;
import io.afterimage.store.s3.SwiftServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Immutable points on a store with object lock, as users and thieves meet them, and the stores that cannot do it. */
class ImmutableIT {

    private static final byte[] SOME_BYTES = "some bytes of a disk".getBytes(StandardCharsets.UTF_8);

    @TempDir
    Path folder;

    private Path image;

    @BeforeEach
    void makeImage() {
        image = new Program(folder).image("disk.raw", 1_000_000, SOME_BYTES);
    }

    private Program program(S3TestBucket bucket, String accessKey, String secretKey, String prefix) {
        return new Program(folder)
                .with("AFTERIMAGE_REPO", bucket.location(prefix).toString())
                .with("AWS_ACCESS_KEY_ID", accessKey)
                .with("AWS_SECRET_ACCESS_KEY", secretKey);
    }

    private Program.Result backUp(Program afterimage, String machine, String... options) {
        String[] command = {"backup", machine, "--image", "vda=" + image, "--json"};
        String[] all = Arrays.copyOf(command, command.length + options.length);
        System.arraycopy(options, 0, all, command.length, options.length);
        return afterimage.run(all);
    }

    private static void assertRefused(ExitCode code, String words, Program.Result result) {
        assertEquals(code.number(), result.exit(), result.err());
        assertTrue(result.err().contains(words), result.err());
        assertFalse(result.err().contains("\tat "), result.err());
    }

    @Test
    void aPointIsKeptWhateverIsDoneWithItsCredentials() throws IOException, InterruptedException {
        try (CephServer ceph = CephServer.start()) {
            S3TestBucket bucket = new S3TestBucket(ceph.endpoint(), CephServer.ACCESS_KEY, CephServer.SECRET_KEY, "locked");
            bucket.createWithObjectLock();
            Program afterimage = program(bucket, CephServer.ACCESS_KEY, CephServer.SECRET_KEY, "backup");
            afterimage.run("init").orFail();
            String free = backUp(afterimage, "web").json().get("point").asString();
            JsonNode kept = backUp(afterimage, "web", "--immutable", "30d", "--retention-mode", "compliance").json();
            String point = kept.get("point").asString();
            Instant until = Instant.parse(kept.get("immutable").get("until").asString());
            assertEquals("compliance", kept.get("immutable").get("mode").asString());
            assertFalse(until.isBefore(Instant.now().plus(Duration.ofDays(29))));
            assertFalse(until.isAfter(Instant.now().plus(Duration.ofDays(40))));
            assertTrue(afterimage.run("list").orFail().out().contains(until.toString()));
            assertTrue(afterimage.run("show", "web@" + point).orFail().out().contains(until + " (compliance)"));
            JsonNode list = afterimage.run("list", "--json").json();
            assertTrue(list.get(0).get("immutable").isNull());
            assertEquals(until.toString(), list.get(1).get("immutable").get("until").asString());

            // Forget and gc leave it alone.
            assertRefused(ExitCode.BUSY, "is immutable until " + until, afterimage.run("forget", "web@" + point));
            backUp(afterimage, "web").orFail();
            assertTrue(afterimage.run("forget", "web", "--keep-last", "1").orFail().out().contains("immutable until " + until));
            assertRefused(ExitCode.NOT_FOUND, "no point", afterimage.run("show", "web@" + free));
            afterimage.run("gc", "--grace", "0").orFail();
            assertReadable(afterimage, point);
            // A stolen key hides it, and no more: what is there is what was there, under what was laid over it.
            bucket.deleteAll();
            assertRefused(ExitCode.REPOSITORY, "no repository", afterimage.run("list"));
            assertEquals(0, bucket.destroyVersions("backup/repository.json"), "the header was destroyed");
            assertEquals(0, bucket.destroyVersions("backup/points/web/" + point), "a descriptor was destroyed");
            assertEquals(0, bucket.destroyVersions("backup/packs/"), "a pack was destroyed");
            bucket.uncover("backup/");
            assertReadable(afterimage, point);
        }
    }

    private void assertReadable(Program afterimage, String point) {
        Path restored = folder.resolve("restored.raw");
        afterimage.run("restore", "web/vda@" + point, "--to", restored.toString(), "--force").orFail();
        Tool.run("cmp", image.toString(), restored.toString()).orFail();
    }

    @Test
    void copiesMayBeImmutableThoughTheOriginalsAreNot() throws IOException, InterruptedException {
        Program here = new Program(folder);
        here.run("init").orFail();
        String point = backUp(here, "web").json().get("point").asString();
        try (CephServer ceph = CephServer.start()) {
            S3TestBucket bucket = new S3TestBucket(ceph.endpoint(), CephServer.ACCESS_KEY, CephServer.SECRET_KEY, "locked");
            bucket.createWithObjectLock();
            Program there = program(bucket, CephServer.ACCESS_KEY, CephServer.SECRET_KEY, "backup");
            Path key = folder.resolve("there.key");
            there.run("init", "--encrypt", "--key-file", key.toString()).orFail();
            JsonNode copied = there.run("copy", "--repo", here.repository().toString(), "--to", bucket.location("backup").toString(),
                    "--to-key-file", key.toString(), "--immutable", "30d", "--json").json();
            assertEquals("governance", copied.get(0).get("immutable").get("mode").asString());
            assertRefused(ExitCode.BUSY, "is immutable until", there.run("forget", "web@" + point, "--key-file", key.toString()));
            here.run("forget", "web@" + point).orFail();
        }
    }

    @Test
    void whatCannotBeLockedIsRefusedBeforeAnythingIsRead() throws IOException, InterruptedException {
        String words = "which has no object lock";
        Program onFolder = new Program(folder);
        onFolder.run("init").orFail();
        assertRefused(ExitCode.REPOSITORY, words, backUp(onFolder, "web", "--immutable", "30d"));
        assertEquals(0, onFolder.run("list", "--json").json().size());
        try (SwiftServer swift = SwiftServer.start()) {
            S3TestBucket bucket = new S3TestBucket(swift.endpoint(), SwiftServer.ACCESS_KEY, SwiftServer.SECRET_KEY, "plain");
            bucket.create();
            Program afterimage = program(bucket, SwiftServer.ACCESS_KEY, SwiftServer.SECRET_KEY, "backup");
            afterimage.run("init").orFail();
            assertRefused(ExitCode.REPOSITORY, words, backUp(afterimage, "web", "--immutable", "30d"));
            assertEquals(0, afterimage.run("list", "--json").json().size());
            assertRefused(ExitCode.REPOSITORY, words, onFolder.with("AWS_ACCESS_KEY_ID", SwiftServer.ACCESS_KEY)
                    .with("AWS_SECRET_ACCESS_KEY", SwiftServer.SECRET_KEY)
                    .run("copy", "--to", bucket.location("backup").toString(), "--immutable", "30d"));
            afterimage.run("gc").orFail();
        }
    }

    @Test
    void timesAndModesThatMakeNoSense() {
        Program afterimage = new Program(folder);
        afterimage.run("init").orFail();
        assertRefused(ExitCode.USAGE, "can be immutable for 1d to 36500d", backUp(afterimage, "web", "--immutable", "2h"));
        assertRefused(ExitCode.USAGE, "can be immutable for 1d to 36500d", backUp(afterimage, "web", "--immutable", "40000d"));
        assertRefused(ExitCode.USAGE, "--immutable TIME", backUp(afterimage, "web", "--retention-mode", "compliance"));
        assertRefused(ExitCode.USAGE, "--retention-mode", backUp(afterimage, "web", "--immutable", "30d", "--retention-mode", "strict"));
    }
}
