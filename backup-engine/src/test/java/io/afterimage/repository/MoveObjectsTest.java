package io.afterimage.repository;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.chunk.ChunkAddress;
import io.afterimage.chunk.ChunkId;
import io.afterimage.chunk.PackId;
import io.afterimage.store.ObjectKey;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MoveObjectsTest {

    private static final PackId OLD = new PackId(1, 1);

    private static List<Move> some(int count) {
        Random random = new Random(3);
        return IntStream.range(0, count)
                .mapToObj(i -> new Move(
                        OLD,
                        1 + i,
                        new ChunkId(random.nextLong(), 2, 3, 4),
                        new ChunkAddress(new PackId(9, i % 3), 1 + random.nextInt(ChunkAddress.OFFSETS - 1), i % 256)))
                .toList();
    }

    @Test
    void whatIsWrittenIsRead() {
        assertEquals(some(700), MoveObjects.decode(OLD, MoveObjects.encode(OLD, some(700))));
    }

    @Test
    void theFullestPackFitsIntoOneObject() {
        assertTrue(MoveObjects.encode(OLD, some(MoveObjects.MOST_MOVES)).length < MoveObjects.LARGEST);
    }

    @Test
    void movesOfAnotherPackAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> MoveObjects.decode(new PackId(1, 2), MoveObjects.encode(OLD, some(1))));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "{", "[]", "{}",
        "{\"format\":2,\"pack\":\"00000000000000010000000000000001\",\"packs\":[],\"frames\":[]}",
        "{\"format\":1,\"pack\":\"00000000000000010000000000000001\",\"packs\":[],\"frames\":[{\"offset\":1,\"chunk\":\"00\",\"pack\":0,\"at\":1,\"length\":1}]}",
        "{\"format\":1,\"pack\":\"00000000000000010000000000000001\",\"packs\":[\"00\"],\"frames\":[]}",
        "{\"format\":1,\"pack\":\"00000000000000010000000000000001\",\"packs\":null,\"frames\":[]}",
    })
    void whateverElseLiesThereIsRefused(String json) {
        assertThrows(IllegalArgumentException.class, () -> MoveObjects.decode(OLD, json.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void aKeyTellsThePack() {
        assertEquals(Optional.of(OLD), MoveObjects.pack(MoveObjects.newKey(OLD)));
        assertEquals(Optional.empty(), MoveObjects.pack(ObjectKey.of("moves", "x", "y.json")));
        assertEquals(Optional.empty(), MoveObjects.pack(ObjectKey.of("packs", OLD.toString(), "y.json")));
    }
}
