package io.afterimage.store.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * Writing past the page cache, straight out of the caller's memory (O_DIRECT). What is synced at once and not read soon gains nothing from a copy in the cache, whose making costs
 * more than all else that the kernel does for a file, and which takes the place of what others read.
 */
final class UncachedFile {

    /** File systems and disks want memory, offsets and lengths in multiples of their blocks; few have larger ones. */
    private static final int BLOCK = 4096;

    /** Below this the cache costs too little to open a file twice. */
    private static final int WORTH_IT = 1024 * 1024;

    /** Public in the module jdk.unsupported, for lack of another way. Looked for, since a Java may lack that module, and the compiler warns of every use. */
    private static final Optional<OpenOption> DIRECT = direct();

    private UncachedFile() {}

    private static Optional<OpenOption> direct() {
        try {
            return Optional.of((OpenOption) Class.forName("com.sun.nio.file.ExtendedOpenOption").getField("DIRECT").get(null));
        } catch (ReflectiveOperationException e) {
            return Optional.empty();
        }
    }

    /**
     * Writes the first bytes of {@code content} to the begin of a file that is there, as many as can go this way, and moves its position behind them. None, if the memory or
     * the file system does not lend itself to it, or anything fails: whoever then writes them as usual learns why. Not synced.
     */
    static void write(Path file, ByteBuffer content) throws ClosedByInterruptException {
        int begin = content.position();
        int length = content.remaining() / BLOCK * BLOCK;
        if (DIRECT.isEmpty() || length < WORTH_IT || !content.isDirect() || content.alignmentOffset(begin, BLOCK) != 0) {
            return;
        }
        ByteBuffer blocks = content.slice(begin, length);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, DIRECT.get())) {
            while (blocks.hasRemaining()) {
                channel.write(blocks, blocks.position());
            }
            content.position(begin + length);
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException | UnsupportedOperationException e) {
            content.position(begin);
        }
    }
}
