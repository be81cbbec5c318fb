package io.afterimage.posix;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Bytes of guests on terminals. */
class EscapedTextTest {

    @Test
    void noByteIsLost() {
        Random random = new Random(1);
        for (int i = 0; i < 1000; i++) {
            byte[] bytes = new byte[random.nextInt(40)];
            random.nextBytes(bytes);
            assertArrayEquals(bytes, EscapedText.parse(EscapedText.of(bytes)));
        }
    }

    @Test
    void noTerminalCommandIsLeft() {
        String text = EscapedText.of("\033]0;x\007\u009b31m\u202e\u2028\r".getBytes(StandardCharsets.UTF_8));
        assertTrue(text.chars().allMatch(character -> character >= ' ' && character < 127), text);
        assertEquals("\\x1b]0;x\\x07\\xc2\\x9b31m\\xe2\\x80\\xae\\xe2\\x80\\xa8\\x0d", text);
    }
}
