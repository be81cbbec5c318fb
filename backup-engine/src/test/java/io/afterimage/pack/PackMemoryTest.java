package io.afterimage.pack;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

final class PackMemoryTest {

    @Test
    void buffersBeginAtPagesAndAreAsLongAsAskedForAtLeast() {
        try (PackMemory memory = new PackMemory()) {
            for (int capacity : new int[] {1, 256 * 1024, 256 * 1024 + 1, PackBuilder.TARGET_LENGTH, 2 * PackBuilder.TARGET_LENGTH}) {
                ByteBuffer buffer = memory.apply(capacity);
                assertTrue(buffer.capacity() >= capacity);
                assertEquals(buffer.capacity(), buffer.remaining());
                assertEquals(0, buffer.alignmentOffset(0, 4096));
            }
        }
    }

    @Test
    void whatIsGivenBackIsGivenOutAgain() {
        try (PackMemory memory = new PackMemory()) {
            ByteBuffer large = memory.apply(PackBuilder.TARGET_LENGTH);
            large.putInt(1).flip();
            memory.giveBack(large);
            ByteBuffer next = memory.apply(10);
            assertSame(large, next);
            assertEquals(next.capacity(), next.remaining());
        }
    }

    @Test
    void nothingIsUsedAfterTheEnd() {
        PackMemory memory = new PackMemory();
        ByteBuffer buffer = memory.apply(10);
        memory.close();
        assertThrows(IllegalStateException.class, () -> buffer.putInt(1));
    }
}
