package io.afterimage.manifest;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The tables of a manifest file. A file with any other table, view, trigger or index is refused. */
final class Schema {

    /** "AImf", in the file's header, so that file(1) and the like know it. */
    static final int APPLICATION_ID = 0x41496d66;

    static final int VERSION = 1;

    private static final List<String> TABLES = List.of(
            "CREATE TABLE point (id TEXT NOT NULL, machine TEXT NOT NULL, parent TEXT, chunk_size INTEGER NOT NULL)",
            "CREATE TABLE pack (number INTEGER PRIMARY KEY, id BLOB NOT NULL, chunks INTEGER NOT NULL)",
            "CREATE TABLE disk (number INTEGER PRIMARY KEY, name TEXT NOT NULL, size INTEGER NOT NULL, changed BLOB NOT NULL)",
            "CREATE TABLE segment (disk INTEGER NOT NULL, number INTEGER NOT NULL, map BLOB NOT NULL,"
                    + " PRIMARY KEY (disk, number)) WITHOUT ROWID",
            "CREATE TABLE definition (name TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID");

    private Schema() {}

    static void create(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("PRAGMA application_id = " + APPLICATION_ID);
            statement.execute("PRAGMA user_version = " + VERSION);
            for (String table : TABLES) {
                statement.execute(table);
            }
        }
    }

    /** Throws unless the file, of {@code length} bytes, is a manifest of a version known here, and holds nothing else. */
    static void check(Connection connection, int length) throws SQLException, CorruptManifestException {
        try (Statement statement = connection.createStatement()) {
            // A file from an untrusted store: no functions from its schema, no belief in cell sizes, no writing.
            statement.execute("PRAGMA trusted_schema = OFF");
            statement.execute("PRAGMA cell_size_check = ON");
            statement.execute("PRAGMA query_only = ON");
            if (number(statement, "PRAGMA application_id") != APPLICATION_ID) {
                throw new CorruptManifestException("it is not a manifest file");
            }
            if (number(statement, "PRAGMA page_count") * number(statement, "PRAGMA page_size") != length) {
                throw new CorruptManifestException("it is cut off");
            }
            long version = number(statement, "PRAGMA user_version");
            if (version != VERSION) {
                throw new CorruptManifestException("its version is " + version + ", and this program reads version " + VERSION);
            }
            Set<String> found = new HashSet<>();
            try (ResultSet rows = statement.executeQuery("SELECT sql FROM sqlite_schema")) {
                while (rows.next()) {
                    found.add(rows.getString(1));
                }
            }
            if (!found.equals(Set.copyOf(TABLES))) {
                throw new CorruptManifestException("its tables are not those of a manifest");
            }
        }
    }

    private static long number(Statement statement, String query) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            return rows.getLong(1);
        }
    }
}
