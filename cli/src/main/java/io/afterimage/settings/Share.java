package io.afterimage.settings;

/** A part of a whole, as people write it: {@code 5%}. */
public final class Share {

    private Share() {}

    /** Above 0 and at most 1; the sign may be left out. */
    public static double parse(String text) {
        String number = text.endsWith("%") ? text.substring(0, text.length() - 1) : text;
        try {
            double percent = Double.parseDouble(number);
            if (percent > 0 && percent <= 100) {
                return percent / 100;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw new IllegalArgumentException("'" + text + "' is not a share: write more than 0% and at most 100%, such as 5%.");
    }
}
