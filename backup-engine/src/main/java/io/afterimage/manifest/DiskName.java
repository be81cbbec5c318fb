package io.afterimage.manifest;

import java.util.regex.Pattern;

/** The name of a virtual disk, unique within its machine: 1 to 64 letters, digits, dots, underscores and hyphens, of which the first is a letter or digit. */
public record DiskName(String text) implements Comparable<DiskName> {

    private static final Pattern FORM = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,63}");

    public DiskName {
        if (!FORM.matcher(text).matches()) {
            throw new IllegalArgumentException("'" + text + "' is not a disk name: "
                    + "use 1 to 64 letters, digits, '.', '_' and '-', a letter or digit first");
        }
    }

    @Override
    public int compareTo(DiskName other) {
        return text.compareTo(other.text);
    }

    @Override
    public String toString() {
        return text;
    }
}
