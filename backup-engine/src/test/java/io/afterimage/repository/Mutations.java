package io.afterimage.repository;

import io.afterimage.manifest.ManifestFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.sqlite.SQLiteConnection;

/** Small changes to what was valid, of the kinds that parsers stumble over. */
final class Mutations {

    private static final Pattern JSON_VALUE = Pattern.compile("(?<=:)(\"[^\"]*\"|-?[0-9]+|null|true|false|\\[|\\{)");
    private static final List<String> JSON_VALUES = List.of(
            "-1", "0", "1", "2", "4095", "65536", "2147483647", "2147483648", "9223372036854775807", "-9223372036854775808", "1e400", "0.5",
            "null", "true", "{}", "[]", "[null]", "[{}]", "{\"a\":1}", "\"\"", "\"x\"", "\"2\"", "\"../..\"", "\"\\u0000\"", "\"\\ud800\"",
            "\"+1000000000-12-31T23:59:59.999999999Z\"", "\"-1000000000-01-01T00:00:00Z\"", "\"0000000000000000000000000000000g\"",
            "[".repeat(100_000), "9".repeat(100_000), "\"" + "y".repeat(100_000) + "\"");
    private static final List<Object> NUMBERS = List.of(
            -1L, 0L, 1L, 7L, 4096L, 1L << 24, (1L << 31) - 1, 1L << 31, 1L << 42, (1L << 43) - 4097, Long.MAX_VALUE, Long.MIN_VALUE, 0.5, "x", "");

    private Mutations() {}

    /** Cut, grown, or changed in some bits, bytes or words. */
    static byte[] bytes(byte[] valid, Random random) {
        byte[] result = switch (random.nextInt(12)) {
            case 0 -> Arrays.copyOf(valid, random.nextInt(valid.length + 1));
            case 1 -> Arrays.copyOf(valid, valid.length + 1 + random.nextInt(5000));
            case 2 -> Arrays.copyOfRange(valid, random.nextInt(valid.length), valid.length);
            default -> valid.clone();
        };
        for (int i = 1 + random.nextInt(4); i > 0 && result.length > 0; i--) {
            int at = random.nextInt(4) == 0 ? random.nextInt(Math.min(200, result.length)) : random.nextInt(result.length);
            switch (random.nextInt(5)) {
                case 0, 1 -> result[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> result[at] = (byte) (random.nextBoolean() ? 0xff : 0);
                case 3 -> ByteBuffer.wrap(result).put(at, valid, 0, Math.min(result.length - at, Math.min(valid.length, random.nextInt(64))));
                default -> {
                    if (at + 4 <= result.length) {
                        ByteBuffer.wrap(result).putInt(at, random.nextBoolean() ? random.nextInt() : random.nextInt(300));
                    }
                }
            }
        }
        return result;
    }

    /** One value replaced by another one, or left out, or bytes changed. */
    static byte[] json(byte[] valid, Random random) {
        String text = new String(valid, StandardCharsets.UTF_8);
        List<MatchResult> values = JSON_VALUE.matcher(text).results().toList();
        if (values.isEmpty() || random.nextInt(4) == 0) {
            return bytes(valid, random);
        }
        MatchResult value = values.get(random.nextInt(values.size()));
        String other = random.nextInt(6) == 0 ? values.get(random.nextInt(values.size())).group() : pick(JSON_VALUES, random);
        return (text.substring(0, value.start()) + other + text.substring(value.end())).getBytes(StandardCharsets.UTF_8);
    }

    /** A file of {@link ManifestFile}, changed in bytes, or by one who knows SQL. */
    static byte[] manifest(byte[] valid, Random random) throws SQLException {
        if (random.nextInt(3) == 0) {
            return bytes(valid, random);
        }
        try (Connection connection = DriverManager.getConnection("jdbc:sqlite::memory:");
                Statement statement = connection.createStatement()) {
            connection.unwrap(SQLiteConnection.class).deserialize("main", valid);
            for (int i = random.nextInt(3); i >= 0; i--) {
                try {
                    change(connection, statement, random);
                } catch (SQLException e) {
                    // Not every change is possible after every other.
                }
            }
            return connection.unwrap(SQLiteConnection.class).serialize("main");
        }
    }

    private static void change(Connection connection, Statement statement, Random random) throws SQLException {
        switch (random.nextInt(10)) {
            case 0 -> statement.execute("PRAGMA user_version = " + random.nextInt(3));
            case 1 -> statement.execute(pick(List.of(
                    "CREATE VIEW v AS SELECT 1", "CREATE INDEX i ON disk (name)", "DROP TABLE definition", "ALTER TABLE pack ADD COLUMN x",
                    "CREATE TABLE t (a UNIQUE)", "CREATE TRIGGER g AFTER INSERT ON pack BEGIN SELECT 1; END"), random));
            case 2 -> statement.execute("DELETE FROM " + pick(List.of("point", "pack", "disk", "segment"), random));
            case 3 -> statement.execute("INSERT INTO disk SELECT number + 1, 'd' || number, 8796093018113 + number, x'' FROM disk");
            case 4, 5 -> blob(connection, "segment", "map", random);
            case 6 -> blob(connection, "disk", "changed", random);
            default -> {
                String column = pick(List.of(
                        "point SET id", "point SET machine", "point SET parent", "point SET chunk_size", "pack SET number", "pack SET id",
                        "pack SET chunks", "disk SET number", "disk SET name", "disk SET size", "segment SET disk", "segment SET number",
                        "definition SET name"), random);
                try (PreparedStatement update = connection.prepareStatement("UPDATE " + column + " = ?")) {
                    update.setObject(1, pick(NUMBERS, random));
                    update.execute();
                }
            }
        }
    }

    private static void blob(Connection connection, String table, String column, Random random) throws SQLException {
        byte[] before;
        try (Statement select = connection.createStatement();
                ResultSet row = select.executeQuery("SELECT " + column + " FROM " + table)) {
            before = row.next() ? row.getBytes(1) : new byte[0];
        }
        try (PreparedStatement update = connection.prepareStatement("UPDATE " + table + " SET " + column + " = ?")) {
            byte[] after = bytes(before.length == 0 ? new byte[] {1} : before, random);
            update.setBytes(1, after);
            update.execute();
        }
    }

    private static <T> T pick(List<T> choices, Random random) {
        return choices.get(random.nextInt(choices.size()));
    }
}
