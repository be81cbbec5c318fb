package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.FoundLease;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.manifest.CorruptManifestException;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Small objects with values that no program has written there. */
class HostileDescriptorTest {

    private static final MachineName WEB = new MachineName("web");

    private final MemoryObjectStore store = new MemoryObjectStore();

    @Test
    void aManifestOfImpossibleLengthIsDamaged() throws IOException {
        Repository repository = TestRepositories.create(store, false);
        HeldPoint point = new HeldPoint(WEB, new PointId("0".repeat(32)), new Point.Seal(1L << 31, "0".repeat(64)));
        assertThrows(CorruptManifestException.class, () -> repository.manifest(point));
    }

    /** Whether one is over is reckoned from its expiry, and whether its holder is dead from the holder's host. */
    @ParameterizedTest
    @ValueSource(strings = {
        "{\"format\":1,\"expires\":\"+1000000000-12-31T23:59:59.999999999Z\",\"holder\":{\"host\":\"a\",\"process\":1,\"started\":2}}",
        "{\"format\":1,\"expires\":\"2030-01-01T00:00:00Z\",\"holder\":{\"process\":1,\"started\":2}}",
        "{\"format\":2,\"expires\":\"2030-01-01T00:00:00Z\",\"holder\":{\"host\":\"a\",\"process\":1,\"started\":2}}",
        "null"
    })
    void aLeaseThatMakesNoSenseIsReckonedFromWhenItWasStored(String json) throws IOException {
        store.put(ObjectKey.of("leases", "backup", "web", "x.json"), ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
        FoundLease lease = FoundLease.list(store, FoundLease.ALL, Duration.ZERO).getFirst();
        Instant now = Instant.now();
        assertTrue(!lease.isReadable() && !lease.isOver(now, LeaseTerms.DEFAULT));
        assertTrue(lease.isOver(now.plus(LeaseTerms.DEFAULT.life()).plus(LeaseTerms.DEFAULT.margin()).plusSeconds(60), LeaseTerms.DEFAULT));
    }
}
