package io.afterimage.lab;

/** How a command inside a guest ended, and what it printed on both streams. */
public record GuestAnswer(String command, int exit, String text) {

    /** Returns what the command printed, if it ended with 0; else fails. */
    public String orFail() {
        if (exit != 0) {
            throw new IllegalStateException("in the guest, `" + command + "` ended with " + exit + ":\n" + text);
        }
        return text;
    }
}
