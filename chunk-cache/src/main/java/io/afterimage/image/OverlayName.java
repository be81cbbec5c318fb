package io.afterimage.image;

import java.util.regex.Pattern;

/** What an overlay is called on this host: letters, digits, {@code . _ -}, a letter or digit first, 64 at most. */
public record OverlayName(String text) implements Comparable<OverlayName> {

    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public OverlayName {
        if (!isValid(text)) {
            throw new IllegalArgumentException("'" + text + "' is not a name for an overlay: "
                    + "use 1 to 64 letters, digits, '.', '_' and '-', a letter or digit first");
        }
    }

    public static boolean isValid(String text) {
        return FORM.matcher(text).matches();
    }

    @Override
    public int compareTo(OverlayName other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
