package io.afterimage.store;

/**
 * What the keys of a listing begin with. It may end within a segment: {@code points/web-0} includes {@code points/web-01/x}.
 *
 * @param value the beginning of an {@link ObjectKey}, possibly empty
 */
public record KeyPrefix(String value) {

    /** The prefix of every key. */
    public static final KeyPrefix ALL = new KeyPrefix("");

    public KeyPrefix {
        // A prefix is what some key completes: one more character makes it a key.
        if (!ObjectKey.isValid(value + "x")) {
            throw new IllegalArgumentException("not the prefix of an object key: \"" + value + '"');
        }
    }

    /** The keys below the folder that these segments name: {@code folder("points", machine)}. */
    public static KeyPrefix folder(String... segments) {
        return new KeyPrefix(ObjectKey.of(segments).value() + '/');
    }

    public boolean includes(ObjectKey key) {
        return key.value().startsWith(value);
    }

    @Override
    public String toString() {
        return value;
    }
}
