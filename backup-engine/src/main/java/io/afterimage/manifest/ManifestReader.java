package io.afterimage.manifest;

import io.afterimage.block.ByteRange;
import io.afterimage.chunk.ChunkSize;
import io.afterimage.chunk.PackId;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** Takes a manifest out of the tables of {@link Schema}, checking every number before it is used; those of the maps' segments are checked by {@link BlockMap}. */
final class ManifestReader {

    private static final byte[] NO_BYTES = {};

    /** Of all disks together: a map takes memory for each segment, also where there are only zeros. */
    private static final long MOST_CHUNKS = 1L << 33;

    private final Connection connection;
    private final ChunkSize chunkSize;

    ManifestReader(Connection connection, ChunkSize chunkSize) {
        this.connection = connection;
        this.chunkSize = chunkSize;
    }

    Manifest read() throws SQLException, CorruptManifestException {
        try (Statement statement = connection.createStatement()) {
            PackTable packs = readPacks(statement);
            List<DiskMap> disks = readDisks(statement, packs);
            SortedMap<String, String> definition = readDefinition(statement);
            try (ResultSet row = statement.executeQuery("SELECT id, machine, parent, chunk_size FROM point")) {
                require(row.next(), "it names no point");
                require(row.getInt(4) == chunkSize.bytes(), "its chunk size is " + row.getInt(4));
                return new Manifest(
                        new PointId(text(row, 1)),
                        new MachineName(text(row, 2)),
                        Optional.ofNullable(row.getString(3)).map(PointId::new),
                        chunkSize,
                        packs,
                        disks,
                        definition);
            }
        }
    }

    private static PackTable readPacks(Statement statement) throws SQLException, CorruptManifestException {
        TreeMap<Integer, PackTable.Row> rows = new TreeMap<>();
        try (ResultSet row = statement.executeQuery("SELECT number, id, chunks FROM pack")) {
            while (row.next()) {
                byte[] id = row.getBytes(2);
                require(id != null && id.length == PackId.LENGTH && row.getLong(3) > 0, "a pack has no proper id or count");
                rows.put(toInt(row.getLong(1)), new PackTable.Row(PackId.get(ByteBuffer.wrap(id)), row.getLong(3)));
            }
        }
        require(rows.values().stream().map(PackTable.Row::id).distinct().count() == rows.size(), "a pack has two numbers");
        return new PackTable(rows);
    }

    private List<DiskMap> readDisks(Statement statement, PackTable packs) throws SQLException, CorruptManifestException {
        record Row(DiskName name, long size, List<ByteRange> changed) {}
        List<Row> rows = new ArrayList<>();
        long chunks = 0;
        Set<DiskName> names = new HashSet<>();
        try (ResultSet row = statement.executeQuery("SELECT number, name, size, changed FROM disk ORDER BY number")) {
            while (row.next()) {
                require(row.getLong(1) == rows.size(), "its disks are not numbered from 0 on");
                long size = row.getLong(3);
                require(size >= 0 && size / chunkSize.bytes() < Integer.MAX_VALUE, "a disk has an impossible size");
                chunks += chunkSize.count(size);
                require(chunks <= MOST_CHUNKS, "disks that are impossibly large together");
                Row disk = new Row(new DiskName(text(row, 2)), size, changed(row.getBytes(4), size));
                require(names.add(disk.name), "a disk is there twice");
                rows.add(disk);
            }
        }
        List<DiskMap> disks = new ArrayList<>();
        List<byte[][]> segments = readSegments(statement, rows.stream().map(Row::size).toList());
        for (int number = 0; number < rows.size(); number++) {
            Row disk = rows.get(number);
            BlockMap map = new BlockMap(disk.size, chunkSize, packs, segments.get(number));
            disks.add(new DiskMap(disk.name, map, disk.changed));
        }
        return disks;
    }

    private List<byte[][]> readSegments(Statement statement, List<Long> diskSizes)
            throws SQLException, CorruptManifestException {
        List<byte[][]> segments = new ArrayList<>();
        for (long size : diskSizes) {
            byte[][] ofDisk = new byte[BlockMap.segments(size, chunkSize)][];
            Arrays.fill(ofDisk, NO_BYTES);
            segments.add(ofDisk);
        }
        try (ResultSet row = statement.executeQuery("SELECT disk, number, map FROM segment")) {
            while (row.next()) {
                int disk = toInt(row.getLong(1));
                int number = toInt(row.getLong(2));
                byte[] map = row.getBytes(3);
                require(map != null && disk < segments.size() && number < segments.get(disk).length, "a segment of no disk");
                segments.get(disk)[number] = map;
            }
        }
        return segments;
    }

    private List<ByteRange> changed(byte[] bytes, long diskSize) throws CorruptManifestException {
        require(bytes != null, "a disk does not say what changed");
        List<ByteRange> ranges = new ArrayList<>();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        long unit = chunkSize.bytes();
        long chunk = 0;
        try {
            while (in.hasRemaining()) {
                long first = chunk + VarInts.get(in);
                chunk = first + VarInts.get(in);
                require(first < chunk && chunk <= chunkSize.count(diskSize), "a change beyond its disk");
                ranges.add(ByteRange.between(first * unit, Math.min(chunk * unit, diskSize)));
            }
        } catch (BufferUnderflowException e) {
            throw new CorruptManifestException("a list of changes is cut off", e);
        }
        return ranges;
    }

    private static SortedMap<String, String> readDefinition(Statement statement)
            throws SQLException, CorruptManifestException {
        SortedMap<String, String> documents = new TreeMap<>();
        try (ResultSet row = statement.executeQuery("SELECT name, content FROM definition")) {
            while (row.next()) {
                documents.put(text(row, 1), text(row, 2));
            }
        }
        return documents;
    }

    private static String text(ResultSet row, int column) throws SQLException, CorruptManifestException {
        String text = row.getString(column);
        require(text != null, "a text is missing");
        return text;
    }

    private static int toInt(long value) throws CorruptManifestException {
        require(value >= 0 && value <= Integer.MAX_VALUE, "a number is too large");
        return (int) value;
    }

    private static void require(boolean condition, String finding) throws CorruptManifestException {
        if (!condition) {
            throw new CorruptManifestException(finding);
        }
    }
}
