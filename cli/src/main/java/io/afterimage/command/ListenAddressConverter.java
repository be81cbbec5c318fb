package io.afterimage.command;

import io.afterimage.nbd.protocol.NbdUri;
import java.nio.file.Path;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** {@code unix:PATH} and {@code tcp:HOST:PORT} on the command line. */
final class ListenAddressConverter implements ITypeConverter<NbdUri.Place> {

    @Override
    public NbdUri.Place convert(String text) {
        try {
            if (text.startsWith("unix:") && text.length() > "unix:".length()) {
                return new NbdUri.Unix(Path.of(text.substring("unix:".length())).toAbsolutePath());
            }
            int colon = text.lastIndexOf(':');
            if (text.startsWith("tcp:") && colon > "tcp:".length()) {
                String host = text.substring("tcp:".length(), colon).replaceAll("^\\[|\\]$", "");
                return new NbdUri.Tcp(host, Integer.parseInt(text.substring(colon + 1)));
            }
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException("'" + text + "' is not an address: " + e.getMessage() + ".");
        }
        throw new TypeConversionException("'" + text + "' is not an address: write unix:PATH or tcp:HOST:PORT.");
    }
}
