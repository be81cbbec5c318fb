package io.afterimage.settings;

import io.afterimage.nbd.protocol.NbdUri;
import java.nio.file.Path;

/** Where to listen, as {@code --nbd} says it. */
public final class ListenAddress {

    private static final String UNIX = "unix:";
    private static final String TCP = "tcp:";

    private ListenAddress() {}

    /** Reads {@code unix:PATH} and {@code tcp:HOST:PORT}; an IPv6 address stands in brackets. */
    public static NbdUri.Place parse(String text) {
        if (text.startsWith(UNIX) && text.length() > UNIX.length()) {
            return new NbdUri.Unix(Path.of(text.substring(UNIX.length())).toAbsolutePath());
        }
        int colon = text.lastIndexOf(':');
        if (!text.startsWith(TCP) || colon <= TCP.length()) {
            throw new IllegalArgumentException("'" + text + "' is not an address: write unix:PATH or tcp:HOST:PORT.");
        }
        String host = text.substring(TCP.length(), colon).replaceAll("^\\[|\\]$", "");
        try {
            return new NbdUri.Tcp(host, Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'" + text + "' has no port: write tcp:HOST:PORT.", e);
        }
    }
}
