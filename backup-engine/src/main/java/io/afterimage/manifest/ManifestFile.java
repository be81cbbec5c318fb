package io.afterimage.manifest;

import io.afterimage.chunk.ChunkSize;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import org.sqlite.ProgressHandler;
import org.sqlite.SQLiteConnection;

/**
 * Manifests to the bytes of a SQLite file and back ({@code docs/formats/manifest.md}). The file lives in memory only; it is
 * opened once, taken over whole, and closed, so that no query stands in the way of a read later. Thread-safe.
 */
public final class ManifestFile {

    private static final String IN_MEMORY = "jdbc:sqlite::memory:";
    private static final String MAIN = "main";

    /** Steps of SQLite's virtual machine between two looks at how many there were. */
    private static final int STEPS = 10_000;

    /** A row takes some bytes and some steps; a file in which pages lead to the same page over and over has rows without end. */
    private static final class Patience extends ProgressHandler {

        private long looks;

        Patience(int fileLength) {
            looks = 100 + 4L * fileLength / STEPS;
        }

        @Override
        protected int progress() {
            return looks-- > 0 ? 0 : 1;
        }
    }

    private ManifestFile() {}

    /** The file of a manifest. */
    public static byte[] write(Manifest manifest) {
        try (Connection connection = DriverManager.getConnection(IN_MEMORY)) {
            Schema.create(connection);
            connection.setAutoCommit(false);
            new ManifestWriter(connection).write(manifest);
            connection.commit();
            return connection.unwrap(SQLiteConnection.class).serialize(MAIN);
        } catch (SQLException e) {
            throw new IllegalStateException("SQLite could not write a manifest to memory", e);
        }
    }

    /**
     * The manifest in a file that anybody may have written.
     *
     * @param chunkSize the chunk size of the repository
     * @throws CorruptManifestException if anything in it is not as {@link #write} leaves it; nothing has been believed then
     */
    public static Manifest read(byte[] file, ChunkSize chunkSize) throws CorruptManifestException {
        Manifest manifest = open(file, chunkSize);
        manifest.checkMaps();
        return manifest;
    }

    /**
     * The same for one who has no use for all of its maps: each part of them is checked when it is first looked at, see {@link BlockMap}.
     *
     * @throws CorruptManifestException if anything beside the maps is not as {@link #write} leaves it
     */
    public static Manifest open(byte[] file, ChunkSize chunkSize) throws CorruptManifestException {
        try (Connection connection = DriverManager.getConnection(IN_MEMORY)) {
            connection.unwrap(SQLiteConnection.class).deserialize(MAIN, file);
            ProgressHandler.setHandler(connection, STEPS, new Patience(file.length));
            Schema.check(connection, file.length);
            return new ManifestReader(connection, chunkSize).read();
        } catch (SQLException e) {
            throw new CorruptManifestException("SQLite cannot read it (" + e.getMessage() + ")", e);
        } catch (IllegalArgumentException | ArithmeticException e) {
            throw new CorruptManifestException(e.getMessage(), e);
        }
    }
}
