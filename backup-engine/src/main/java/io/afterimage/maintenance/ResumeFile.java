package io.afterimage.maintenance;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.PackId;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which packs a full verification has found whole, kept on this host so that one that was interrupted goes on: a line for each, with its id and a checksum of the
 * frames that were needed of it. It may be lost at any time, which costs time, and a host that has no room for it goes without. Text after the last
 * line's end is what a crash left.
 */
final class ResumeFile implements Closeable {

    /** What was read that long ago is read again. */
    private static final Duration LIFE = Duration.ofDays(7);

    private static final String HEADING = "afterimage verify 1";

    private static final Logger LOG = LoggerFactory.getLogger(ResumeFile.class);

    private final Path file;
    private final Map<String, String> done = new HashMap<>();
    private boolean kept = true;

    private ResumeFile(Path file) {
        this.file = file;
    }

    /** Takes up what an earlier run has left, unless it is too old. */
    static ResumeFile open(Path file, Instant now) {
        ResumeFile resume = new ResumeFile(file);
        resume.keep(() -> {
            Files.createDirectories(file.toAbsolutePath().getParent());
            if (Files.exists(file) && Files.getLastModifiedTime(file).toInstant().isAfter(now.minus(LIFE))) {
                resume.read(Files.readString(file, StandardCharsets.ISO_8859_1));
            }
            if (resume.done.isEmpty()) {
                Files.writeString(file, HEADING + "\n");
            }
        });
        return resume;
    }

    private interface Step {
        void take() throws IOException;
    }

    /** Until that fails for the first time: where nothing is noted, a run that is interrupted begins anew, and that is all. */
    private void keep(Step step) {
        if (!kept) {
            return;
        }
        try {
            step.take();
        } catch (IOException e) {
            kept = false;
            LOG.warn("How far this run has come cannot be kept in {}, and another one will begin anew: {}", file, e.toString());
        }
    }

    private void read(String text) {
        List<String> lines = text.substring(0, text.lastIndexOf('\n') + 1).lines().toList();
        if (!lines.isEmpty() && lines.getFirst().equals(HEADING)) {
            lines.stream().skip(1).map(line -> line.split(" ", 2)).filter(words -> words.length == 2).forEach(words -> done.put(words[0], words[1]));
        }
    }

    /** Whether these very frames of the pack have been read. */
    boolean isDone(PackId pack, List<ChunkAddress> needed) {
        return checksum(needed).equals(done.get(pack.toString()));
    }

    void add(PackId pack, List<ChunkAddress> needed) {
        String line = pack + " " + checksum(needed) + "\n";
        keep(() -> Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND));
    }

    private static String checksum(List<ChunkAddress> needed) {
        CRC32C crc = new CRC32C();
        ByteBuffer place = ByteBuffer.allocate(8);
        for (ChunkAddress address : needed) {
            crc.update(place.clear().putInt(address.offset()).putInt(address.lengthCode()).flip());
        }
        return Long.toHexString(crc.getValue()) + "-" + needed.size();
    }

    /** The run has come to its end: the next one begins anew. */
    @Override
    public void close() {
        keep(() -> Files.deleteIfExists(file));
    }
}
