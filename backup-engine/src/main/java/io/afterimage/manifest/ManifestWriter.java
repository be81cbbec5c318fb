package io.afterimage.manifest;

import io.afterimage.block.ByteRange;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;

/** Fills the tables of {@link Schema}. */
final class ManifestWriter {

    private final Connection connection;

    ManifestWriter(Connection connection) {
        this.connection = connection;
    }

    void write(Manifest manifest) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO point VALUES (?, ?, ?, ?)")) {
            insert.setString(1, manifest.point().hex());
            insert.setString(2, manifest.machine().text());
            insert.setString(3, manifest.parent().map(PointId::hex).orElse(null));
            insert.setInt(4, manifest.chunkSize().bytes());
            insert.execute();
        }
        writePacks(manifest.packs());
        for (int number = 0; number < manifest.disks().size(); number++) {
            writeDisk(number, manifest.disks().get(number));
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO definition VALUES (?, ?)")) {
            for (Map.Entry<String, String> document : manifest.definition().entrySet()) {
                insert.setString(1, document.getKey());
                insert.setString(2, document.getValue());
                insert.execute();
            }
        }
    }

    private void writePacks(PackTable packs) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO pack VALUES (?, ?, ?)")) {
            for (Map.Entry<Integer, PackTable.Row> row : packs.rows().entrySet()) {
                ByteBuffer id = ByteBuffer.allocate(16);
                row.getValue().id().put(id);
                insert.setInt(1, row.getKey());
                insert.setBytes(2, id.array());
                insert.setLong(3, row.getValue().chunks());
                insert.execute();
            }
        }
    }

    private void writeDisk(int number, DiskMap disk) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO disk VALUES (?, ?, ?, ?)")) {
            insert.setInt(1, number);
            insert.setString(2, disk.name().text());
            insert.setLong(3, disk.size());
            insert.setBytes(4, encode(disk.changed(), disk.map().chunkSize().bytes()));
            insert.execute();
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO segment VALUES (?, ?, ?)")) {
            int segments = BlockMap.segments(disk.size(), disk.map().chunkSize());
            for (int segment = 0; segment < segments; segment++) {
                byte[] map = disk.map().encodedSegment(segment);
                if (map.length > 0) {
                    insert.setInt(1, number);
                    insert.setInt(2, segment);
                    insert.setBytes(3, map);
                    insert.execute();
                }
            }
        }
    }

    /** Pairs of numbers: chunks that did not change, then chunks that did. */
    private static byte[] encode(List<ByteRange> changed, int chunkSize) {
        VarInts out = new VarInts();
        long end = 0;
        for (ByteRange range : changed) {
            long first = range.offset() / chunkSize;
            long next = (range.end() + chunkSize - 1) / chunkSize;
            out.put(Math.toIntExact(first - end));
            out.put(Math.toIntExact(next - first));
            end = next;
        }
        return out.toByteArray();
    }
}
