package io.afterimage.capture.libvirt;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import jnr.ffi.Pointer;

/** Reads an array of {@code struct _virTypedParameter}: 80 bytes of name, the type of the value, padding, 8 bytes of value. */
final class TypedParameters {

    private static final int NAME_BYTES = 80;
    private static final int VALUE = 88;
    /** Of one. */
    static final int BYTES = 96;
    private static final int LONGEST_TEXT = 1 << 20;

    private TypedParameters() {}

    static Map<String, Object> read(Pointer array, int count) {
        Map<String, Object> values = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            Pointer one = array.slice((long) i * BYTES, BYTES);
            values.put(one.getString(0, NAME_BYTES, StandardCharsets.UTF_8), value(one));
        }
        return values;
    }

    private static Object value(Pointer one) {
        int type = one.getInt(NAME_BYTES);
        return switch (type) {
            case 1 -> one.getInt(VALUE);
            case 2 -> Integer.toUnsignedLong(one.getInt(VALUE));
            case 3, 4 -> one.getLong(VALUE);
            case 5 -> one.getDouble(VALUE);
            case 6 -> one.getByte(VALUE) != 0;
            case 7 -> one.getPointer(VALUE).getString(0, LONGEST_TEXT, StandardCharsets.UTF_8);
            default -> "of type " + type;
        };
    }
}
