package io.afterimage.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.ByteRange;
import io.afterimage.capture.Progress;
import io.afterimage.catalog.Point;
import io.afterimage.image.DamagedRepository.Stored;
import io.afterimage.maintenance.Finding;
import io.afterimage.maintenance.Thoroughness;
import io.afterimage.maintenance.Verification;
import io.afterimage.maintenance.VerifyReport;
import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Damage planted at random in a repository of several machines, each with several points: a full verification finds all of it and names what it
 * touches, no more and no less than a model of its own says; nothing damaged is ever served; and backups of intact sources heal it.
 */
class PlantedDamageTest {

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "3, false", "4, false", "5, false", "6, false", "7, true", "8, true", "9, true", "10, true"})
    void damageInPacksIsFoundNotServedAndHealed(long seed, boolean encrypted) throws IOException {
        try (DamagedRepository made = DamagedRepository.make(folder, seed, encrypted)) {
            Map<Stored, BitSet> lost = new TreeMap<>();
            Set<ObjectKey> bad = made.damagePacks(3, lost);
            assertServed(made, lost);
            VerifyReport report = verify(made, new Thoroughness.Full(), true);
            assertEquals(bad, objects(report), () -> made.planted() + "\n" + report);
            assertEquals(touched(made, lost), touched(report), () -> made.planted() + "\n" + report);
            assertTrue(bad.containsAll(objects(verify(made, new Thoroughness.Structure(), false))));
            assertEquals(bad.isEmpty(), list(made, "damaged").isEmpty());

            // An increment without any change heals what the newest point still needs.
            Map<Stored, BitSet> left = made.withoutChunksOfNewest(lost);
            made.backUpUnchanged();
            assertServed(made, left);
            assertTouchesAtMost(made, left, verify(made, new Thoroughness.Full(), true));

            // Images of what the disks were heal the rest.
            made.backUpAllOld();
            assertServed(made, Map.of());
            VerifyReport healed = verify(made, new Thoroughness.Full(), true);
            assertEquals(List.of(), healed.findings(), made::planted);
            assertEquals(List.of(), list(made, "damaged"));
            assertEquals(List.of(), verify(made, new Thoroughness.Structure(), true).findings());
        }
    }

    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "3, false", "4, true", "5, true"})
    void damageInDescriptorsAndManifestsIsFoundAndNotServed(long seed, boolean encrypted) throws IOException {
        try (DamagedRepository made = DamagedRepository.make(folder, seed, encrypted)) {
            Set<ObjectKey> bad = made.damageDescriptorsAndManifests(4);
            for (Stored disk : made.disks().keySet()) {
                boolean isBad = bad.contains(made.descriptor(disk)) || bad.contains(made.manifest(disk));
                Optional<byte[]> read = made.tryRead(disk);
                assertEquals(isBad, read.isEmpty(), () -> disk + "\n" + made.planted());
                read.ifPresent(bytes -> assertArrayEquals(made.disks().get(disk), bytes));
            }
            VerifyReport report = verify(made, new Thoroughness.Full(), true);
            assertEquals(bad, objects(report), made::planted);
            for (Finding finding : report.findings()) {
                assertEquals(finding.object().value().startsWith("points/"), finding.touched().isEmpty());
            }
            // A damaged newest point does not keep its machine from having another one, which is exact.
            made.backUpUnchangedImages();
            assertEquals(bad, objects(verify(made, new Thoroughness.Full(), true)));
        }
    }

    private VerifyReport verify(DamagedRepository made, Thoroughness thoroughness, boolean record) throws IOException {
        return new Verification(made.repository(), InstantSource.system(), new Random(1))
                .run(
                        new Verification.Request(
                                Optional.empty(), Optional.empty(), thoroughness, folder.resolve("verify"), false, record),
                        Progress.NONE);
    }

    private static Set<ObjectKey> objects(VerifyReport report) {
        Set<ObjectKey> objects = new TreeSet<>();
        report.findings().forEach(finding -> objects.add(finding.object()));
        return objects;
    }

    private static List<ObjectKey> list(DamagedRepository made, String name) throws IOException {
        return made.repository().store().list(KeyPrefix.folder(name)).toList().stream().map(object -> object.key()).toList();
    }

    /** Every chunk of every disk of every point reads exactly, or fails where it is expected to. */
    private static void assertServed(DamagedRepository made, Map<Stored, BitSet> lost) throws IOException {
        try (ImageLibrary images = made.images()) {
            for (Map.Entry<Stored, byte[]> disk : made.disks().entrySet()) {
                BitSet failed = new BitSet();
                Point point = made.point(disk.getKey());
                int size = made.chunkSize();
                try (PointInTimeImage image = images.open(point, disk.getKey().disk())) {
                    for (int chunk = 0; chunk * size < disk.getValue().length; chunk++) {
                        int end = Math.min(disk.getValue().length, (chunk + 1) * size);
                        ByteBuffer bytes = ByteBuffer.allocate(end - chunk * size);
                        try {
                            image.read((long) chunk * size, bytes);
                            assertArrayEquals(Arrays.copyOfRange(disk.getValue(), chunk * size, end), bytes.array());
                        } catch (IOException e) {
                            failed.set(chunk);
                        }
                    }
                }
                BitSet expected = lost.getOrDefault(disk.getKey(), new BitSet());
                assertEquals(expected, failed, () -> disk.getKey() + "\n" + made.planted());
            }
        }
    }

    private static Map<String, List<ByteRange>> touched(DamagedRepository made, Map<Stored, BitSet> lost) {
        Map<String, List<ByteRange>> touched = new TreeMap<>();
        lost.forEach((disk, chunks) -> {
            if (!chunks.isEmpty()) {
                long length = made.disks().get(disk).length;
                List<ByteRange> ranges = new ArrayList<>();
                for (int from = chunks.nextSetBit(0); from >= 0; from = chunks.nextSetBit(chunks.nextClearBit(from))) {
                    ranges.add(ByteRange.between(
                            (long) from * made.chunkSize(), Math.min(length, (long) chunks.nextClearBit(from) * made.chunkSize())));
                }
                touched.put(disk.toString(), ranges);
            }
        });
        return touched;
    }

    /** What all findings together touch of each disk. */
    private static Map<String, List<ByteRange>> touched(VerifyReport report) {
        Map<String, List<ByteRange>> touched = new TreeMap<>();
        for (Finding finding : report.findings()) {
            for (Finding.Touched each : finding.touched()) {
                List<ByteRange> all = touched.computeIfAbsent(new Stored(each.machine(), each.point(), each.disk()).toString(), _ -> new ArrayList<>());
                all.addAll(each.ranges());
                all.sort((a, b) -> Long.compare(a.offset(), b.offset()));
                for (int i = all.size() - 1; i > 0; i--) {
                    if (all.get(i - 1).end() == all.get(i).offset()) {
                        ByteRange next = all.remove(i);
                        all.set(i - 1, ByteRange.between(all.get(i - 1).offset(), next.end()));
                    }
                }
            }
        }
        return touched;
    }

    private static void assertTouchesAtMost(DamagedRepository made, Map<Stored, BitSet> left, VerifyReport report) {
        assertEquals(touched(made, left), touched(report), () -> made.planted() + "\n" + report);
    }
}
