package io.afterimage.posix;

import java.util.Arrays;
import java.util.Optional;

/** What sort of thing a name in a folder stands for: the upper bits of {@code st_mode}. */
public enum FileKind {
    PIPE(0010000, 'p'),
    CHARACTER_DEVICE(0020000, 'c'),
    FOLDER(0040000, 'd'),
    BLOCK_DEVICE(0060000, 'b'),
    FILE(0100000, '-'),
    LINK(0120000, 'l'),
    SOCKET(0140000, 's');

    private static final int MASK = 0170000;

    private final int bits;
    private final char letter;

    FileKind(int bits, char letter) {
        this.bits = bits;
        this.letter = letter;
    }

    /** Of a whole {@code st_mode}; empty if those bits mean nothing. */
    public static Optional<FileKind> ofMode(long mode) {
        return Arrays.stream(values()).filter(kind -> kind.bits == (mode & MASK)).findFirst();
    }

    int bits() {
        return bits;
    }

    /** As {@code ls -l} has it. */
    public char letter() {
        return letter;
    }

    public boolean isDevice() {
        return this == CHARACTER_DEVICE || this == BLOCK_DEVICE;
    }
}
