package io.afterimage.capture.libvirt;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import jnr.ffi.Memory;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.junit.jupiter.api.Test;

/** The layout of {@code struct _virTypedParameter}, written by hand as a C compiler lays it out on 64-bit machines. */
final class TypedParametersTest {

    private static final int BYTES = 96;

    private final Pointer array = Memory.allocateDirect(Runtime.getSystemRuntime(), 7 * BYTES, true);
    private int count;

    private Pointer add(String name, int type) {
        Pointer one = array.slice((long) count++ * BYTES, BYTES);
        one.putString(0, name, 80, StandardCharsets.UTF_8);
        one.putInt(80, type);
        return one.slice(88);
    }

    @Test
    void everyTypeIsRead() {
        Pointer text = Memory.allocateDirect(Runtime.getSystemRuntime(), 64, true);
        text.putString(0, "Débian", 64, StandardCharsets.UTF_8);
        add("fs.count", 2).putInt(0, -1);
        add("int", 1).putInt(0, -1);
        add("total", 4).putLong(0, 1L << 40);
        add("load", 5).putDouble(0, 0.5);
        add("busy", 6).putByte(0, (byte) 1);
        add("os.name", 7).putPointer(0, text);
        add("later", 9);
        assertEquals(
                Map.of("fs.count", 0xffffffffL, "int", -1, "total", 1L << 40, "load", 0.5, "busy", true, "os.name", "Débian", "later", "of type 9"),
                TypedParameters.read(array, count));
    }

    @Test
    void nothingIsNothing() {
        assertEquals(Map.of(), TypedParameters.read(null, 0));
    }
}
