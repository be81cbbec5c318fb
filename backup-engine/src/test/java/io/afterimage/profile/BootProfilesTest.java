package io.afterimage.profile;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.CaptureBytes;
import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.Point;
import io.afterimage.catalog.PointDescriptor;
import io.afterimage.catalog.PointKind;
import io.afterimage.manifest.DiskName;
import io.afterimage.manifest.MachineName;
import io.afterimage.manifest.PointId;
import io.afterimage.profile.BootProfile.Read;
import io.afterimage.repository.Repository;
import io.afterimage.repository.TestRepositories;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** A boot profile comes back as it was stored, or not at all; whatever lies in its place, nobody fails for it. */
@ParameterizedClass(name = "encrypted: {0}")
@ValueSource(booleans = {false, true})
class BootProfilesTest {

    private static final MachineName WEB = new MachineName("web");
    private static final DiskName VDA = new DiskName("vda");
    private static final int BLOCK = BootProfile.BLOCK;
    private static final int MUTATIONS = 20_000;

    @Parameter
    private boolean encrypted;

    private Repository repository;
    private BootProfiles profiles;

    @BeforeEach
    void create() throws IOException {
        repository = TestRepositories.create(new MemoryObjectStore(), encrypted);
        profiles = new BootProfiles(repository);
    }

    private static BootProfile profile(Random random, int count) {
        List<Read> reads = new ArrayList<>();
        int millis = 0;
        for (int i = 0; i < count; i++) {
            millis += random.nextInt(50);
            reads.add(new Read(random.nextLong(1L << 28) * BLOCK, (1L + random.nextInt(64)) * BLOCK, millis));
        }
        return new BootProfile(PointId.at(Instant.now(), new SecureRandom()), Instant.ofEpochMilli(1_790_000_000_123L), random.nextBoolean(), reads);
    }

    @Test
    void comesBackAsItWas() throws IOException {
        assertEquals(Optional.empty(), profiles.find(WEB, VDA));
        for (int count : new int[] {0, 1, 2, 500}) {
            BootProfile profile = profile(new Random(count), count);
            profiles.put(WEB, VDA, profile);
            assertEquals(Optional.of(profile), profiles.find(WEB, VDA));
        }
        assertEquals(Optional.empty(), profiles.find(WEB, new DiskName("vdb")));
        assertEquals(Optional.empty(), profiles.find(new MachineName("db"), VDA));
    }

    @Test
    void theLargestComesBackToo() throws IOException {
        List<Read> reads = new ArrayList<>();
        for (int i = 0; i < BootProfile.MOST_READS; i++) {
            long offset = i % 2 == 0 ? 0 : BootProfile.LARGEST_DISK - BLOCK;
            reads.add(new Read(offset, BLOCK, i == 0 ? 0 : Integer.MAX_VALUE));
        }
        BootProfile profile = new BootProfile(PointId.at(Instant.now(), new SecureRandom()), Instant.EPOCH, true, reads);
        profiles.put(WEB, VDA, profile);
        assertEquals(Optional.of(profile), profiles.find(WEB, VDA));
    }

    @Test
    void sixBytesAReadAreEnough() {
        int bytes = ProfileCodec.encode(profile(new Random(3), 3000)).length;
        assertTrue(bytes < 3000 * 7, bytes + " bytes");
    }

    @Test
    void whatIsNoProfileIsPassedOver() throws IOException {
        ObjectKey key = BootProfiles.key(WEB, VDA);
        byte[] valid = ProfileCodec.encode(profile(new Random(1), 5));
        for (byte[] content : List.of(
                new byte[0], new byte[3], new byte[100], Arrays.copyOf(valid, valid.length - 1), Arrays.copyOf(valid, valid.length + 1))) {
            repository.putSealed(key, content);
            assertEquals(Optional.empty(), profiles.find(WEB, VDA));
        }
        repository.putSealed(key, new byte[ProfileCodec.LARGEST + 1]);
        assertEquals(Optional.empty(), profiles.find(WEB, VDA));
        repository.store().put(key, ByteBuffer.wrap("not sealed, and no profile".getBytes(StandardCharsets.UTF_8)));
        assertEquals(Optional.empty(), profiles.find(WEB, VDA));
    }

    @Test
    void garbledBytesAreAProfileWithinTheBoundsOrNone() {
        Random random = new Random(7);
        byte[] valid = ProfileCodec.encode(profile(random, 40));
        int understood = 0;
        for (int i = 0; i < MUTATIONS; i++) {
            byte[] garbled = random.nextInt(8) == 0 ? Arrays.copyOf(valid, random.nextInt(valid.length + 20)) : valid.clone();
            for (int change = 1 + random.nextInt(3); change > 0 && garbled.length > 0; change--) {
                garbled[random.nextInt(garbled.length)] = (byte) (random.nextInt(3) == 0 ? 0xff : random.nextInt(256));
            }
            try {
                BootProfile profile = ProfileCodec.decode(garbled);
                assertTrue(profile.bytes() <= BootProfile.MOST_BYTES && profile.reads().size() <= BootProfile.MOST_READS);
                assertEquals(profile, ProfileCodec.decode(ProfileCodec.encode(profile)));
                understood++;
            } catch (IllegalArgumentException expected) {
                assertTrue(expected.getMessage().length() < 200, expected.getMessage());
            }
        }
        assertTrue(understood > 0 && understood < MUTATIONS, understood + " were understood");
    }

    @Test
    void aProfileOfAnythingButBlocksOfADiskCannotBe() {
        assertThrows(IllegalArgumentException.class, () -> new Read(-BLOCK, BLOCK, 0));
        assertThrows(IllegalArgumentException.class, () -> new Read(1, BLOCK, 0));
        assertThrows(IllegalArgumentException.class, () -> new Read(0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Read(0, BLOCK, -1));
        assertThrows(IllegalArgumentException.class, () -> new Read(Long.MAX_VALUE - BLOCK + 1, BLOCK, 0));
        PointId point = PointId.at(Instant.now(), new SecureRandom());
        Read large = new Read(0, BootProfile.MOST_BYTES, 0);
        assertThrows(IllegalArgumentException.class, () -> new BootProfile(point, Instant.EPOCH, true, List.of(large, large)));
        List<Read> many = Collections.nCopies(BootProfile.MOST_READS + 1, new Read(0, BLOCK, 0));
        assertThrows(IllegalArgumentException.class, () -> new BootProfile(point, Instant.EPOCH, true, many));
        assertThrows(IllegalArgumentException.class,
                () -> new BootProfile(point, Instant.EPOCH, true, List.of(new Read(0, BLOCK, 5), new Read(0, BLOCK, 4))));
    }

    /** Lists a point of a machine, of which nothing but the descriptor is looked at. */
    private Point list(String machine, Optional<PointId> parent, Optional<Point.Base> base) throws IOException {
        MachineName name = new MachineName(machine);
        PointId id = PointId.next(repository.catalog().pointIds(name).reversed().stream().findFirst(), Instant.now(), new SecureRandom());
        Point point = new Point(
                id, name, Instant.now(), PointKind.FULL, parent, List.of(), CaptureBytes.NONE, new Point.Seal(0, "0".repeat(64)), Optional.empty(),
                base, Optional.empty(), Optional.empty());
        repository.putSealed(Catalog.key(name, id), PointDescriptor.of(point).toJson());
        return point;
    }

    private static Optional<Point.Base> on(String machine, String disk, String below) {
        SortedMap<DiskName, DiskName> disks = new TreeMap<>(Map.of(new DiskName(disk), new DiskName(below)));
        return Optional.of(new Point.Base(new MachineName(machine), disks));
    }

    private Optional<FoundProfile> nearest(Point point, String disk) throws IOException {
        return profiles.nearest(point.machine(), point.id(), new DiskName(disk));
    }

    @Test
    void aMachineWithoutOneHasThatOfTheImageBelowIt() throws IOException {
        Point image = list("image", Optional.empty(), Optional.empty());
        Point golden = list("golden", Optional.of(image.id()), on("image", "root", "sda"));
        Point first = list("web", Optional.of(golden.id()), on("golden", "vda", "root"));
        Point later = list("web", Optional.of(first.id()), Optional.empty());
        assertEquals(Optional.empty(), nearest(later, "vda"));

        BootProfile imagesOwn = profile(new Random(1), 9);
        FoundProfile.Place sda = new FoundProfile.Place(image.machine(), new DiskName("sda"));
        profiles.put(sda.machine(), sda.disk(), imagesOwn);
        for (Point point : List.of(golden, first, later)) {
            FoundProfile found = nearest(point, point.equals(golden) ? "root" : "vda").orElseThrow();
            assertEquals(new FoundProfile(imagesOwn, sda), found);
            assertTrue(found.isInheritedBy(point.machine()));
        }
        assertEquals(Optional.empty(), nearest(later, "vdb"), "a disk that stands on no other");

        BootProfile goldens = profile(new Random(2), 9);
        profiles.put(golden.machine(), new DiskName("root"), goldens);
        assertEquals(goldens, nearest(later, "vda").orElseThrow().profile());
        BootProfile own = profile(new Random(3), 9);
        profiles.put(WEB, VDA, own);
        assertEquals(new FoundProfile(own, new FoundProfile.Place(WEB, VDA)), nearest(later, "vda").orElseThrow());
    }

    @Test
    void whatIsForgottenOrGarbledOrGoesInCirclesEndsTheSearch() throws IOException {
        Point image = list("image", Optional.empty(), Optional.empty());
        Point first = list("web", Optional.of(image.id()), on("image", "vda", "vda"));
        Point later = list("web", Optional.of(first.id()), Optional.empty());
        profiles.put(image.machine(), VDA, profile(new Random(1), 9));
        // Their profiles stay until they are collected.
        repository.catalog().forget(image.machine(), image.id());
        assertTrue(nearest(later, "vda").isPresent());
        repository.catalog().forget(WEB, first.id());
        assertEquals(Optional.empty(), nearest(later, "vda"));
        assertEquals(Optional.empty(), profiles.nearest(new MachineName("none"), later.id(), VDA));

        Point one = list("one", Optional.of(later.id()), on("other", "vda", "vda"));
        list("other", Optional.of(one.id()), on("one", "vda", "vda"));
        assertEquals(Optional.empty(), nearest(one, "vda"));

        repository.store().put(Catalog.key(WEB, later.id()), ByteBuffer.wrap(new byte[] {1}));
        assertEquals(Optional.empty(), new BootProfiles(repository).nearest(WEB, PointId.at(Instant.now(), new SecureRandom()), VDA));
    }

    @Test
    void theMachineStandsInTheKey() {
        assertEquals(Optional.of(WEB), BootProfiles.machine(BootProfiles.key(WEB, VDA)));
        for (String other : List.of("profiles/web", "profiles/web/vda/x", "profiles/-/vda", "profiles/web/-", "points/web/vda", "x")) {
            assertEquals(Optional.empty(), BootProfiles.machine(new ObjectKey(other)));
        }
    }
}
