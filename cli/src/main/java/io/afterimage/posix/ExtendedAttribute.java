package io.afterimage.posix;

import java.util.Arrays;

/** An extended attribute of a file: a name with its namespace, such as {@code user.origin}, and a value. */
public final class ExtendedAttribute {

    private final byte[] name;
    private final byte[] value;

    public ExtendedAttribute(byte[] name, byte[] value) {
        this.name = name.clone();
        this.value = value.clone();
    }

    public byte[] name() {
        return name.clone();
    }

    public byte[] value() {
        return value.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ExtendedAttribute that && Arrays.equals(name, that.name) && Arrays.equals(value, that.value);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(name) + Arrays.hashCode(value);
    }

    /** The name; the value is not for a terminal. */
    @Override
    public String toString() {
        return EscapedText.of(name);
    }
}
