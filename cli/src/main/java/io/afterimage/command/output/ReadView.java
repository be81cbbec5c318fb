package io.afterimage.command.output;

import io.afterimage.image.ReadStatistics;
import io.afterimage.settings.ByteSize;
import java.util.Locale;

/** What was read through the caches, in one line. */
public final class ReadView {

    private ReadView() {}

    /** Such as {@code 1,000 chunks were read: 97.5 % from memory …}. */
    public static String line(ReadStatistics read) {
        long chunks = read.hits() + read.misses();
        long onDisk = Math.min(read.disk().hits(), read.misses());
        return String.format(
                Locale.ROOT,
                "%,d chunks were read: %s from memory, %s from the disk's cache, %s from the store; %,d requests fetched %s, %,d of %,d guesses were right."
                        + " Memory holds %s of %s, the disk %s of %s.",
                chunks,
                share(read.hits(), chunks),
                share(onDisk, chunks),
                share(read.misses() - onDisk, chunks),
                read.fetched().requests(),
                ByteSize.format(read.fetched().bytes()),
                read.memory().guessesUsed(),
                read.memory().guessesUsed() + read.memory().guessesWasted(),
                ByteSize.format(read.memory().bytes()),
                ByteSize.format(read.memory().capacity()),
                ByteSize.format(read.disk().bytes()),
                ByteSize.format(read.disk().limit()));
    }

    private static String share(long part, long whole) {
        return String.format(Locale.ROOT, "%.1f %%", whole == 0 ? 0 : 100.0 * part / whole);
    }
}
