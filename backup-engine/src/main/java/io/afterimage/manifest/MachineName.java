package io.afterimage.manifest;

import java.util.regex.Pattern;

/** The name of a VM: 1 to 64 letters, digits, dots, underscores and hyphens, of which the first is a letter or digit. */
public record MachineName(String text) implements Comparable<MachineName> {

    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public MachineName {
        if (!FORM.matcher(text).matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a machine name: "
                    + "use 1 to 64 letters, digits, '.', '_' and '-', a letter or digit first");
        }
    }

    /** Whether {@code text} may be the name of a machine. */
    public static boolean isValid(String text) {
        return FORM.matcher(text).matches();
    }

    @Override
    public int compareTo(MachineName other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
