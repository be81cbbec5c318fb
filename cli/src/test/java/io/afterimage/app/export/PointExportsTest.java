package io.afterimage.app.export;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.app.backup.BackUpImages;
import io.afterimage.capture.Progress;
import io.afterimage.catalog.LeaseTerms;
import io.afterimage.catalog.OpenPoints;
import io.afterimage.catalog.Point;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.fetch.FetchSettings;
import io.afterimage.image.ImageLibrary;
import io.afterimage.index.ChunkIndex;
import io.afterimage.manifest.MachineName;
import io.afterimage.nbd.protocol.ExportSummary;
import io.afterimage.nbd.server.Client;
import io.afterimage.nbd.server.Export;
import io.afterimage.repository.Repository;
import io.afterimage.settings.ImageSource;
import io.afterimage.store.CountingStore;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.Operation;
import io.afterimage.store.StoreStatistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What exports cost the store: a name, however many points there are; a list, its descriptors once. */
final class PointExportsTest {

    private static final int POINTS = 25;
    /** Small, so that going through the points would show. */
    private static final int PAGE = 3;

    private static final Client CLIENT = new Client("somewhere", false, Optional.empty());

    @TempDir
    private Path folder;

    private final List<Point> points = new ArrayList<>();
    private CountingStore store;
    private Repository repository;
    private ImageLibrary images;
    private PointExports exports;
    private ChunkIndex index;
    private ImageSource root;
    private ImageSource data;

    @BeforeEach
    void backUp() throws IOException {
        store = new CountingStore(new MemoryObjectStore(InstantSource.system(), PAGE));
        repository = Repository.create(store, ChunkSize.DEFAULT, new SecureRandom());
        index = ChunkIndex.open(folder.resolve("index"));
        root = image("root");
        data = image("data");
        for (int i = 0; i < POINTS; i++) {
            points.add(backUp("web", root, data));
        }
        // Leases are taken in the background, elsewhere: what is counted here is reading.
        images = new ImageLibrary(
                repository, new OpenPoints(new MemoryObjectStore(), InstantSource.system(), LeaseTerms.DEFAULT), 16L << 20, Optional.empty(), FetchSettings.DEFAULT);
        // A catalogue that knows nothing yet.
        exports = new PointExports(repository.catalog(), images);
    }

    @AfterEach
    void close() throws IOException {
        images.close();
        index.close();
        repository.close();
    }

    private ImageSource image(String name) throws IOException {
        Path file = Files.write(folder.resolve(name), name.repeat(30_000).getBytes(java.nio.charset.StandardCharsets.US_ASCII));
        return ImageSource.parse(name + "=" + file);
    }

    private Point backUp(String machine, ImageSource... sources) throws IOException {
        return new BackUpImages(repository, index, folder.resolve("seen"), InstantSource.system(), new SecureRandom())
                .run(new BackUpImages.Request(new MachineName(machine), List.of(sources), Optional.empty()), Progress.NONE);
    }

    private List<String> listed() throws IOException {
        List<String> names = new ArrayList<>();
        for (ExportSummary export : exports.list(CLIENT)) {
            names.add(export.name());
        }
        return names;
    }

    @Test
    void aListIsNewestFirstPerDiskAndOpensNothing() throws IOException {
        StoreStatistics before = store.statistics();
        List<String> names = listed();
        for (String disk : new String[] {"web/root@", "web/data@"}) {
            assertEquals(
                    points.reversed().stream().map(point -> disk + point.id()).toList(),
                    names.stream().filter(name -> name.startsWith(disk)).toList());
        }
        assertEquals(2 * POINTS, names.size());
        assertTrue(store.statistics().since(before).of(Operation.GET).requests() <= POINTS, "descriptors, no manifests");
        StoreStatistics between = store.statistics();
        assertEquals(names, listed());
        assertEquals(0, store.statistics().since(between).of(Operation.GET).requests());
    }

    @ParameterizedTest
    @ValueSource(strings = {"mail/root@latest", "mail", "web/root@ffffffff", "web@ffff", "web/root@00000000000000000000000000000000"})
    void aNameThatIsNotThereCostsTwoListingsAndNoMore(String name) throws IOException {
        StoreStatistics before = store.statistics();
        assertEquals(Optional.empty(), exports.open(name));
        assertTrue(store.statistics().since(before).requests() <= 2, store.statistics().since(before)::toString);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "web/", "@", "web@", "../web", "web/root@yesterday", "web/root@latest/x", "web root"})
    void aNameThatIsNoneCostsNothing(String name) throws IOException {
        StoreStatistics before = store.statistics();
        assertEquals(Optional.empty(), exports.open(name));
        assertEquals(0, store.statistics().since(before).requests());
    }

    @Test
    void aPointThatAppearsIsThereAtOnce() throws IOException {
        Point next = backUp("web", root, data);
        assertEquals("web/root@" + next.id(), listed().getFirst().replace("/data@", "/root@"));
        Optional<Export> latest = exports.open("web/root@latest");
        assertTrue(latest.orElseThrow().description().contains(next.time().toString()));
        latest.get().device().close();
        assertTrue(latest.get().contexts().names().contains("x-afterimage:changed-since/" + points.getLast().id()));
    }

    @Test
    void theOnlyDiskOfTheOnlyMachineIsTheDefault() throws IOException {
        assertEquals(Optional.empty(), exports.defaultName(CLIENT), "two disks");
        backUp("web", root);
        assertEquals(Optional.of("web/root@latest"), exports.defaultName(CLIENT));
        backUp("mail", root);
        assertEquals(Optional.empty(), exports.defaultName(CLIENT), "two machines");
    }
}
