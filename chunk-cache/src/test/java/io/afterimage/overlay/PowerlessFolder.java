package io.afterimage.overlay;

import io.afterimage.block.BlockDevice;
import io.afterimage.block.ByteRange;
import io.afterimage.block.DeviceFullException;
import io.afterimage.block.Extent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A folder in memory that can lose its power. What was written to a file and not synced since reaches the disk or not, sector by sector, whatever the order; so do
 * names, one by one, until the folder is synced, and the length of a file. For one thread.
 */
final class PowerlessFolder implements OverlayFolder {

    private static final int SECTOR = 512;

    /** The power has gone: nothing works until {@link #restart}. */
    static final class PowerCut extends IOException {
        private static final long serialVersionUID = 1;
    }

    private final Random random;
    private final int dataSize;
    /** Names as programs see them, and as they are on the disk. */
    private Map<String, Inode> names = new TreeMap<>();

    private Map<String, Inode> durableNames = new TreeMap<>();
    private int stepsLeft = Integer.MAX_VALUE;
    private boolean dead;
    private boolean full;

    /** A file: what programs see, and what is on the disk. */
    private static final class Inode {
        byte[] bytes = {};
        byte[] durable = {};
    }

    PowerlessFolder(Random random, int dataSize) {
        this.random = random;
        this.dataSize = dataSize;
        Inode data = new Inode();
        data.bytes = new byte[dataSize];
        data.durable = new byte[dataSize];
        names.put(LocalFolder.DATA, data);
        durableNames.put(LocalFolder.DATA, data);
    }

    /** The power goes in the middle of the {@code steps}th operation from now. */
    void cutAfter(int steps) {
        stepsLeft = steps;
    }

    /** From now on there is no room for more, or there is again. */
    void setFull(boolean now) {
        full = now;
    }

    /** The power comes back, or if it has not gone, it goes now and comes back. */
    void restart() {
        for (Inode file : names.values()) {
            settle(file);
        }
        Map<String, Inode> found = new TreeMap<>(durableNames);
        names.forEach((name, file) -> {
            if (random.nextBoolean()) {
                found.put(name, file);
            }
        });
        // A file that was moved has its new name, or its old one yet: never both.
        found.entrySet().removeIf(entry -> !names.containsKey(entry.getKey())
                && found.entrySet().stream().anyMatch(other -> !other.equals(entry) && other.getValue() == entry.getValue()));
        names = found;
        durableNames = new TreeMap<>(found);
        for (Inode file : names.values()) {
            file.bytes = file.durable.clone();
        }
        dead = false;
        full = false;
        stepsLeft = Integer.MAX_VALUE;
    }

    /** The process is killed, and the kernel lives on: all that was written is there. */
    void kill() {
        dead = false;
        full = false;
        stepsLeft = Integer.MAX_VALUE;
    }

    private void settle(Inode file) {
        int length = random.nextBoolean() ? file.bytes.length : Math.max(file.durable.length, random.nextInt(file.bytes.length + 1));
        byte[] disk = Arrays.copyOf(file.durable, Math.min(Math.max(length, file.durable.length), Math.max(file.bytes.length, file.durable.length)));
        int odds = random.nextInt(4);
        for (int at = 0; at < disk.length && at < file.bytes.length; at += SECTOR) {
            if (random.nextInt(3) < odds) {
                System.arraycopy(file.bytes, at, disk, at, Math.min(SECTOR, Math.min(disk.length, file.bytes.length) - at));
            }
        }
        file.durable = disk;
    }

    private void step() throws PowerCut {
        if (dead || --stepsLeft < 0) {
            dead = true;
            throw new PowerCut();
        }
    }

    /** Bytes that may be written by this step: all of them, unless the power goes in its middle. */
    private int lived(int count) throws PowerCut {
        if (!dead && stepsLeft == 0) {
            dead = true;
            return random.nextInt(count / SECTOR + 1) * SECTOR;
        }
        step();
        return count;
    }

    private void write(Inode file, long position, ByteBuffer source, boolean grows) throws IOException {
        if (full && grows) {
            throw new DeviceFullException("no room", null);
        }
        int count = lived(source.remaining());
        int end = Math.toIntExact(position + count);
        if (end > file.bytes.length) {
            file.bytes = Arrays.copyOf(file.bytes, end);
        }
        source.get(file.bytes, (int) position, count);
        if (dead) {
            throw new PowerCut();
        }
    }

    private void sync(Inode file) throws IOException {
        if (!dead && stepsLeft == 0) {
            settle(file);
        }
        step();
        file.durable = file.bytes.clone();
    }

    @Override
    public BlockDevice data() {
        return new Data(names.get(LocalFolder.DATA));
    }

    @Override
    public Contents open(String name) throws IOException {
        step();
        if (!names.containsKey(name)) {
            throw new IOException("no file " + name + " in " + names.keySet());
        }
        return new File(names.get(name));
    }

    @Override
    public Contents create(String name) throws IOException {
        step();
        Inode file = names.computeIfAbsent(name, _ -> new Inode());
        file.bytes = new byte[0];
        return new File(file);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        step();
        names.put(to, names.remove(from));
    }

    @Override
    public void sync() throws IOException {
        step();
        durableNames = new TreeMap<>(names);
    }

    @Override
    public String toString() {
        return "memory";
    }

    @Override
    public void close() {}

    private final class File implements Contents {
        private final Inode file;

        File(Inode file) {
            this.file = file;
        }

        @Override
        public long size() {
            return file.bytes.length;
        }

        @Override
        public void read(long position, ByteBuffer target) {
            target.put(file.bytes, (int) position, target.remaining());
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            PowerlessFolder.this.write(file, position, source, true);
        }

        @Override
        public void sync() throws IOException {
            PowerlessFolder.this.sync(file);
        }

        @Override
        public void close() {}
    }

    /** The data file. Zeroed ranges may reach the disk sector by sector like anything else. */
    private final class Data implements BlockDevice {
        private final Inode file;

        Data(Inode file) {
            this.file = file;
        }

        @Override
        public long size() {
            return dataSize;
        }

        @Override
        public void read(long offset, ByteBuffer target) {
            target.put(file.bytes, (int) offset, target.remaining());
        }

        @Override
        public boolean canWrite() {
            return true;
        }

        @Override
        public void write(long offset, ByteBuffer source) throws IOException {
            PowerlessFolder.this.write(file, offset, source, true);
        }

        @Override
        public void zero(ByteRange range, boolean mayFree) throws IOException {
            PowerlessFolder.this.write(file, range.offset(), ByteBuffer.allocate((int) range.length()), !mayFree);
        }

        @Override
        public void trim(ByteRange range) throws IOException {
            zero(range, true);
        }

        @Override
        public List<Extent> extents(ByteRange range, int limit) {
            List<Extent> extents = new ArrayList<>();
            extents.add(new Extent(range, Extent.Kind.DATA));
            return extents;
        }

        @Override
        public void flush() throws IOException {
            PowerlessFolder.this.sync(file);
        }

        @Override
        public void close() {}
    }
}
