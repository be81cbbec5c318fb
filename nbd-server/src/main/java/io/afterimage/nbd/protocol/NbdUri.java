package io.afterimage.nbd.protocol;

import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Where an export is found, as the NBD project's {@code doc/uri.md} writes it: {@code nbd://host:port/export},
 * {@code nbd+unix:///export?socket=PATH}, and {@code nbds}, {@code nbds+unix} for TLS.
 *
 * @param tls whether TLS is demanded; a server that cannot is refused
 * @param place where to connect
 * @param export the export's name; empty for the server's default
 * @param tlsCertificates a folder with {@code ca-cert.pem} and, for a client that proves who it is, {@code client-cert.pem}
 *     and {@code client-key.pem}
 * @param tlsHostname the name that the server's certificate must bear, when it is not the host connected to
 */
public record NbdUri(boolean tls, Place place, String export, Optional<Path> tlsCertificates, Optional<String> tlsHostname) {

    public static final int DEFAULT_PORT = 10809;

    /** A place that listens. */
    public sealed interface Place {}

    /** Host name or address without brackets, and port. */
    public record Tcp(String host, int port) implements Place {
        public Tcp {
            if (host.isEmpty() || port < 0 || port > 65535) {
                throw new IllegalArgumentException("not a host and a port: " + host + ":" + port);
            }
        }

        @Override
        public String toString() {
            return (host.contains(":") ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** A unix socket. */
    public record Unix(Path path) implements Place {
        @Override
        public String toString() {
            return path.toString();
        }
    }

    public static NbdUri unix(Path socket, String export) {
        return new NbdUri(false, new Unix(socket), export, Optional.empty(), Optional.empty());
    }

    public static NbdUri tcp(String host, int port, String export) {
        return new NbdUri(false, new Tcp(host, port), export, Optional.empty(), Optional.empty());
    }

    /** The same place with TLS, trusting and proving with the certificates of that folder. */
    public NbdUri withTls(Path certificates) {
        return new NbdUri(true, place, export, Optional.of(certificates), tlsHostname);
    }

    /**
     * Reads a URI.
     *
     * @throws IllegalArgumentException with a sentence that says what is wrong with {@code text}
     */
    public static NbdUri parse(String text) {
        URI uri;
        try {
            uri = new URI(text);
        } catch (URISyntaxException e) {
            throw malformed(text, e.getMessage());
        }
        String scheme = Optional.ofNullable(uri.getScheme()).orElse("");
        boolean tls = scheme.startsWith("nbds");
        Map<String, String> query = query(text, uri.getRawQuery());
        Place place =
                switch (scheme) {
                    case "nbd", "nbds" -> tcp(text, uri);
                    case "nbd+unix", "nbds+unix" -> unix(text, uri, query);
                    default -> throw malformed(text, "it begins with nbd://, nbds://, nbd+unix:// or nbds+unix://");
                };
        if (query.containsKey("tls-psk-file")) {
            throw malformed(text, "pre-shared keys are not supported; use certificates (tls-certificates=FOLDER)");
        }
        String path = Optional.ofNullable(uri.getPath()).orElse("");
        return new NbdUri(
                tls,
                place,
                path.startsWith("/") ? path.substring(1) : path,
                Optional.ofNullable(query.get("tls-certificates")).map(Path::of),
                Optional.ofNullable(query.get("tls-hostname")));
    }

    /** The same place, another export. */
    public NbdUri withExport(String name) {
        return new NbdUri(tls, place, name, tlsCertificates, tlsHostname);
    }

    @Override
    public String toString() {
        Map<String, String> query = new LinkedHashMap<>();
        if (place instanceof Unix unix) {
            query.put("socket", unix.path().toString());
        }
        tlsCertificates.ifPresent(folder -> query.put("tls-certificates", folder.toString()));
        tlsHostname.ifPresent(name -> query.put("tls-hostname", name));
        StringBuilder uri = new StringBuilder(tls ? "nbds" : "nbd");
        uri.append(place instanceof Tcp tcp ? "://" + tcp : "+unix://").append('/').append(encode(export));
        char separator = '?';
        for (Map.Entry<String, String> parameter : query.entrySet()) {
            uri.append(separator).append(parameter.getKey()).append('=').append(encode(parameter.getValue()));
            separator = '&';
        }
        return uri.toString();
    }

    private static Place tcp(String text, URI uri) {
        String host = uri.getHost();
        if (host == null) {
            throw malformed(text, "it names no host");
        }
        boolean bracketed = host.startsWith("[");
        return new Tcp(
                bracketed ? host.substring(1, host.length() - 1) : host, uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
    }

    private static Place unix(String text, URI uri, Map<String, String> query) {
        if (uri.getRawAuthority() != null && uri.getHost() != null) {
            throw malformed(text, "a unix socket has no host: nbd+unix:///EXPORT?socket=PATH");
        }
        String socket = query.get("socket");
        if (socket == null || socket.isEmpty()) {
            throw malformed(text, "it names no socket: nbd+unix:///EXPORT?socket=PATH");
        }
        return new Unix(Path.of(socket));
    }

    private static Map<String, String> query(String text, String raw) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (raw == null) {
            return parameters;
        }
        for (String parameter : raw.split("&", -1)) {
            int equals = parameter.indexOf('=');
            if (equals < 0) {
                throw malformed(text, "the parameter '" + parameter + "' has no value");
            }
            // A plus sign stands for itself: the query of a URI is not a web form.
            String value = parameter.substring(equals + 1).replace("+", "%2B");
            parameters.put(parameter.substring(0, equals), URLDecoder.decode(value, StandardCharsets.UTF_8));
        }
        return parameters;
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20").replace("%2F", "/").replace("%40", "@").replace("%3A", ":");
    }

    private static IllegalArgumentException malformed(String text, String cause) {
        return new IllegalArgumentException("not an NBD URI: '" + text + "': " + cause);
    }
}
