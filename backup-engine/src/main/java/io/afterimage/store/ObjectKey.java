package io.afterimage.store;

import java.util.regex.Pattern;

/**
 * The name of an object: segments of {@code [A-Za-z0-9._-]} joined by {@code /}, such as {@code packs/3f/3fa9…}. Such a name is the same in
 * a URL, an S3 key and a path, needs no escaping anywhere and cannot leave the place it is resolved against.
 *
 * @param value at most 512 characters; no segment is empty, {@code .} or {@code ..}, or longer than 255
 */
public record ObjectKey(String value) implements Comparable<ObjectKey> {

    static final int MAX_LENGTH = 512;
    private static final Pattern SEGMENT = Pattern.compile("[A-Za-z0-9._-]{1,255}");

    public ObjectKey {
        if (!isValid(value)) {
            throw new IllegalArgumentException("not an object key: \"" + value + '"');
        }
    }

    /** Joins segments to a key: {@code of("packs", "3f", id)}. Each of them is checked to be one segment. */
    public static ObjectKey of(String... segments) {
        for (String segment : segments) {
            if (!isSegment(segment)) {
                throw new IllegalArgumentException("not a segment of an object key: \"" + segment + '"');
            }
        }
        return new ObjectKey(String.join("/", segments));
    }

    /** Whether {@code value} may be an object's name; to ask first where a name comes from outside. */
    public static boolean isValid(String value) {
        if (value.length() > MAX_LENGTH) {
            return false;
        }
        for (String segment : value.split("/", -1)) {
            if (!isSegment(segment)) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@code value} may stand between two slashes of a key. */
    public static boolean isSegment(String value) {
        return SEGMENT.matcher(value).matches() && !value.equals(".") && !value.equals("..");
    }

    /** What follows the last slash; the whole key when there is none. */
    public String name() {
        return value.substring(value.lastIndexOf('/') + 1);
    }

    /** By the bytes of the names, as object stores order them. */
    @Override
    public int compareTo(ObjectKey other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
