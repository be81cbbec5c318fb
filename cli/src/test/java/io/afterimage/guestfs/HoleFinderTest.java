package io.afterimage.guestfs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.afterimage.block.ByteRange;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Maps of sparse files, which come out of the appliance and so may say anything. */
class HoleFinderTest {

    @Test
    void offsetsAndLengthsAreRead() {
        assertEquals(
                Optional.of(List.of(new ByteRange(0, 512), new ByteRange(4096, 100))),
                HoleFinder.parse("GNU.sparse.map=0,512,4096,100,1000000,0", 1_000_000));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", "GNU.sparse.map=", "GNU.sparse.map=0", "GNU.sparse.map=0,512", "GNU.sparse.map=0,512,100,999900", "GNU.sparse.map=0,2000000",
        "GNU.sparse.map=0,512,,1000000,0", "GNU.sparse.map=0,9999999999999999999", "GNU.sparse.map=0,512,4096,100,100"
    })
    void whatIsNoMapIsNone(String text) {
        assertEquals(Optional.empty(), HoleFinder.parse(text, 1_000_000));
    }
}
