package io.afterimage.manifest;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkSize;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.sqlite.SQLiteConnection;

/** Manifests that no mistake makes, but somebody who knows SQLite. */
class HostileManifestTest {

    private static final ChunkSize CHUNK = new ChunkSize(4096);
    private static final int INTERIOR = 5;
    private static final int LEVELS = 8;

    private static byte[] manifestWith(String sql) throws SQLException {
        Manifest manifest = new Manifest(
                new PointId("0".repeat(32)), new MachineName("web"), Optional.empty(), CHUNK, PackTable.EMPTY, List.of(), new TreeMap<>());
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
                Statement statement = connection.createStatement()) {
            SQLiteConnection database = connection.unwrap(SQLiteConnection.class);
            database.deserialize("main", ManifestFile.write(manifest));
            statement.execute(sql);
            return database.serialize("main");
        }
    }

    @Test
    void manyLargeDisksOfZerosTakeNoMemory() throws SQLException {
        byte[] file = manifestWith("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)"
                + " INSERT INTO disk SELECT i, 'd' || i, 8796093000000, x'' FROM n");
        CorruptManifestException refusal = assertThrows(CorruptManifestException.class, () -> ManifestFile.read(file, CHUNK));
        assertTrue(refusal.getMessage().contains("impossibly large"), refusal.getMessage());
    }

    /** A tree of pages of which all branches of a level are the same page has more rows than can ever be counted. */
    @Test
    void aTreeThatLeadsToOnePageOverAndOverComesToAnEnd() throws SQLException {
        byte[] file = manifestWith("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)"
                + " INSERT INTO pack SELECT i, randomblob(16), 1 FROM n");
        byte[] bomb = multiplied(file);
        assertTimeoutPreemptively(
                Duration.ofSeconds(60), () -> assertThrows(CorruptManifestException.class, () -> ManifestFile.read(bomb, CHUNK)));
    }

    private static byte[] multiplied(byte[] file) {
        int page = ByteBuffer.wrap(file).getShort(16) & 0xffff;
        int pages = file.length / page;
        byte[] grown = Arrays.copyOf(file, file.length + LEVELS * page);
        ByteBuffer bytes = ByteBuffer.wrap(grown);
        bytes.putInt(28, pages + LEVELS);
        int root = 1;
        while (file[root * page] != INTERIOR) {
            root++;
        }
        int leaf = bytes.getInt(root * page + 8);
        for (int level = 0; level < LEVELS; level++) {
            System.arraycopy(file, root * page, grown, (pages + level) * page, page);
            lead(bytes, (pages + level) * page, level + 1 < LEVELS ? pages + level + 2 : leaf);
        }
        lead(bytes, root * page, pages + 1);
        return grown;
    }

    /** Makes all branches of an interior page lead to page number {@code target}. */
    private static void lead(ByteBuffer bytes, int page, int target) {
        bytes.putInt(page + 8, target);
        int cells = bytes.getShort(page + 3) & 0xffff;
        for (int cell = 0; cell < cells; cell++) {
            bytes.putInt(page + (bytes.getShort(page + 12 + 2 * cell) & 0xffff), target);
        }
    }
}
