package io.afterimage.guestfs;

import io.afterimage.block.ByteRange;
import io.afterimage.files.FilePath;
import io.afterimage.files.FileStatus;
import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Finds where a sparse file has data: a {@code lastlog} or a disk image in a guest may have a terabyte of holes, which would take hours to
 * read. libguestfs has no function for it; but the tar in its appliance knows, and begins an archive with a map
 * (GNU tar manual, "PAX Format, Version 0.1"). The library's {@code debug} runs it; where that does not help, the file is read whole.
 */
final class HoleFinder {

    /** It is quicker to read fewer zeros than that. */
    private static final long WORTH_IT = 16L << 20;

    private static final String KEY = "GNU.sparse.map=";

    private final Appliance appliance;
    private final Volume volume;

    HoleFinder(Appliance appliance, Volume volume) {
        this.appliance = appliance;
        this.volume = volume;
    }

    /** Empty if it is not known. */
    Optional<List<ByteRange>> data(FilePath file, FileStatus status) throws GuestException {
        if (status.size() - status.allocated() < WORTH_IT) {
            return Optional.empty();
        }
        try (Arena arena = Arena.ofConfined()) {
            var command = GuestFs.list(arena, List.of(command(file)));
            byte[] answer = appliance.ask(volume.name() + file, guest -> guest.string("debug", "sh", command));
            return parse(new String(answer, StandardCharsets.US_ASCII).strip(), status.size());
        } catch (GuestFsException _) {
            return Optional.empty();
        }
    }

    /** For the appliance's shell. Names are quoted; a folder on the way is no link, for the file was found by listing. */
    private static byte[] command(FilePath file) {
        ByteArrayOutputStream command = new ByteArrayOutputStream();
        text(command, "timeout 60 tar -C /sysroot");
        quoted(command, file.parent().bytes());
        text(command, " --format=posix --sparse --sparse-version=0.1 -cf - -- ./");
        quoted(command, file.name().bytes());
        text(command, " 2>/dev/null | head -c 2000000 | tr -d '\\000' | grep -a -m 1 -o '" + KEY + "[0-9,]*' || true");
        return command.toByteArray();
    }

    private static void text(ByteArrayOutputStream command, String text) {
        command.writeBytes(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static void quoted(ByteArrayOutputStream command, byte[] bytes) {
        command.write('\'');
        for (byte b : bytes) {
            if (b == '\'') {
                text(command, "'\\''");
            } else {
                command.write(b);
            }
        }
        command.write('\'');
    }

    /** Offsets and lengths in turn. A map that was cut off does not reach the end of the file and is none. */
    static Optional<List<ByteRange>> parse(String answer, long size) {
        if (!answer.startsWith(KEY)) {
            return Optional.empty();
        }
        String[] numbers = answer.substring(KEY.length()).split(",", -1);
        if (!Arrays.stream(numbers).allMatch(number -> number.matches("[0-9]{1,18}"))) {
            return Optional.empty();
        }
        List<ByteRange> ranges = new ArrayList<>();
        long end = 0;
        for (int i = 0; i + 1 < numbers.length; i += 2) {
            ByteRange range = new ByteRange(Long.parseLong(numbers[i]), Long.parseLong(numbers[i + 1]));
            if (range.offset() < end || range.end() > size) {
                return Optional.empty();
            }
            end = range.end();
            if (!range.isEmpty()) {
                ranges.add(range);
            }
        }
        return numbers.length % 2 == 0 && end == size ? Optional.of(ranges) : Optional.empty();
    }
}
