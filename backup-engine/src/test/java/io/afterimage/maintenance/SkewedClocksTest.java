package io.afterimage.maintenance;

import static io.afterimage.maintenance.Backups.disk;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.BackupLease;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.HeldPoint;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.ReadLease;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Garbage collection among hosts and stores whose clocks differ. */
class SkewedClocksTest extends CollectedRepository {

    /** By the clock of whoever collects that lease is long over; by the store's it was written a moment ago. */
    @Test
    void aReaderWhoseClockIsBehindKeepsWhatItReads() throws IOException {
        Point point = backups.run(WEB, disk(1, 2, 3));
        InstantSource behind = () -> now.minus(Duration.ofHours(3));
        try (ReadLease lease = ReadLease.acquire(store, behind, LeaseTerms.DEFAULT, List.of(HeldPoint.of(point)))) {
            forget(point);
            for (Duration storeAhead : List.of(Duration.ZERO, Duration.ofDays(400), Duration.ofDays(-400))) {
                ahead = storeAhead;
                lease.renew();
                assertEquals(0, gc(Duration.ZERO).deleted().packs(), () -> "store ahead by " + storeAhead);
                assertExact(point, disk(1, 2, 3));
            }
        }
        assertEquals(1, gc(Duration.ZERO).deleted().packs());
    }

    /** Condemned by a host whose clock is days behind, or looked at by one that is days ahead. */
    @Test
    void theGracePeriodIsOverWhenTheStoresClockSaysSoToo() throws IOException {
        forget(backups.run(WEB, disk(1, 2, 3)));
        ahead = Duration.ofDays(3);
        gc(GRACE);
        now = now.plus(ahead);
        ahead = Duration.ZERO;
        assertEquals(0, gc(GRACE).deleted().packs());
        ahead = Duration.ofDays(-3);
        now = now.plus(Duration.ofDays(3));
        assertEquals(0, gc(GRACE).deleted().packs());
        now = now.plus(GRACE);
        assertEquals(1, gc(GRACE).deleted().packs());
    }

    /** A host that is a virtual machine and was paused: by its own clock no time has passed, and by everybody else's it was dead. */
    @Test
    void aBackupOnAHostThatStoodStillLeavesNoPoint() throws IOException {
        CatalogException refusal = assertThrows(
                CatalogException.class, () -> backups.run(WEB, disk(1, 2, 3), _ -> {}, _ -> ahead = ahead.plus(Duration.ofMinutes(16))));
        assertEquals(CatalogException.Reason.BUSY, refusal.reason());
        assertTrue(refusal.getMessage().contains("stood still for 16 minutes"), refusal.getMessage());
        assertEquals(Set.of(), keys("points/"));
        assertExact(backups.run(WEB, disk(1, 2, 3), _ -> {}, _ -> ahead = ahead.plus(Duration.ofMinutes(14))), disk(1, 2, 3));
    }

    @Test
    void theMachineOfARunningBackupWhoseClockIsBehindIsTaken() throws IOException {
        InstantSource behind = () -> now.minus(Duration.ofHours(3));
        try (BackupLease held = BackupLease.acquire(store, behind, LeaseTerms.DEFAULT, WEB)) {
            CatalogException refusal =
                    assertThrows(CatalogException.class, () -> BackupLease.acquire(store, () -> now, LeaseTerms.DEFAULT, WEB));
            assertEquals(CatalogException.Reason.BUSY, refusal.reason());
            held.check();
        }
    }
}
