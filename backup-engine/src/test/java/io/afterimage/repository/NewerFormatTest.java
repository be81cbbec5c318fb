package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.catalog.Catalog;
import io.afterimage.catalog.CatalogException;
import io.afterimage.catalog.Point;
import io.afterimage.store.MemoryObjectStore;
import io.afterimage.store.ObjectKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a later program wrote is refused in a sentence that says so, whatever else in it is unknown here. */
class NewerFormatTest {

    @TempDir
    private Path folder;

    private final MemoryObjectStore store = new MemoryObjectStore();

    @Test
    void aRepositoryWithKeySlotsOfAnUnknownKind() throws IOException {
        String json = """
                {"format":2,"id":"798e622bae22b06ddabd65fab125cb25","chunkSize":"variable","hash":"blake3","encryption":"xts","keySlots":[{"kind":"card"}]}""";
        store.put(ObjectKey.of("repository.json"), ByteBuffer.wrap(json.getBytes(StandardCharsets.UTF_8)));
        RepositoryException refusal = assertThrows(RepositoryException.class, () -> Repository.open(store));
        assertEquals(RepositoryException.Reason.UNSUPPORTED_FORMAT, refusal.reason());
        assertTrue(refusal.getMessage().endsWith("is of format 2 and this program reads up to 1: use a newer Afterimage."), refusal.getMessage());
    }

    @Test
    void aPointOfAnUnknownKind() throws IOException {
        Repository repository = TestRepositories.create(store, false);
        Point point = Backup.of(repository, folder, "web", new byte[100_000], Map.of());
        ObjectKey key = Catalog.key(point.machine(), point.id());
        String zeros = "\"check\":\"" + "0".repeat(64) + "\"";
        String json = new String(store.getWhole(key, 1 << 20), StandardCharsets.UTF_8)
                .replace("\"format\":1", "\"format\":2")
                .replace("\"FULL\"", "\"SYNTHETIC\"")
                .replaceFirst("\"check\":\"[0-9a-f]*\"", zeros);
        String check = Repository.sha256(json.getBytes(StandardCharsets.UTF_8));
        store.put(key, ByteBuffer.wrap(json.replace("0".repeat(64), check).getBytes(StandardCharsets.UTF_8)));
        CatalogException refusal = assertThrows(
                CatalogException.class, () -> Repository.open(store).catalog().find(point.machine(), point.id()));
        assertEquals(CatalogException.Reason.UNSUPPORTED_FORMAT, refusal.reason());
        assertTrue(refusal.getMessage().endsWith("is of format 2 and this program reads up to 1: use a newer Afterimage."), refusal.getMessage());
    }
}
