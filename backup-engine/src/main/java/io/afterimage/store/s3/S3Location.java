package io.afterimage.store.s3;

import io.afterimage.store.KeyPrefix;
import io.afterimage.store.ObjectKey;
import java.net.URI;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.regex.Pattern;

/**
 * Where a repository lies on S3, as one string without any secret:
 * {@code s3://bucket/prefix?endpoint=https://host:port&region=name&profile=name&addressing=path|virtual}. What is left out is what the SDK's
 * environment variables and profile files say; a custom endpoint means path addressing unless told otherwise.
 *
 * @param prefix   what all keys begin with: empty, or segments each followed by a slash
 * @param endpoint of a store that is not AWS
 * @param profile  the section of the SDK's credential and configuration files
 */
public record S3Location(
        String bucket, KeyPrefix prefix, Optional<URI> endpoint, Optional<String> region, Optional<String> profile, Optional<Addressing> addressing) {

    /** Whether the bucket stands in the path or in the host name of a URL. */
    public enum Addressing {
        PATH,
        VIRTUAL
    }

    private static final String SCHEME = "s3://";
    private static final String FORM = "s3://BUCKET[/PREFIX][?endpoint=URL&region=NAME&profile=NAME&addressing=path|virtual]";
    /** The union of what stores allow; each of them refuses more. */
    private static final Pattern BUCKET = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{1,254}");
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._@+-]+");

    /**
     * Reads a location.
     *
     * @throws IllegalArgumentException saying in one sentence what is wrong with the text and what is right; it does not repeat the
     *                                  text, which may hold a misplaced secret
     */
    public static S3Location parse(String text) {
        if (!text.startsWith(SCHEME)) {
            throw new IllegalArgumentException("an S3 location has the form " + FORM);
        }
        int query = text.indexOf('?');
        String path = text.substring(SCHEME.length(), query < 0 ? text.length() : query);
        if (path.contains("@")) {
            throw new IllegalArgumentException("credentials do not belong into an S3 location; use AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile");
        }
        int slash = path.indexOf('/');
        String bucket = slash < 0 ? path : path.substring(0, slash);
        if (!BUCKET.matcher(bucket).matches()) {
            throw new IllegalArgumentException("not the name of a bucket: \"" + bucket + "\"; an S3 location has the form " + FORM);
        }
        Map<String, String> options = options(query < 0 ? "" : text.substring(query + 1));
        S3Location location = new S3Location(
                bucket,
                prefix(slash < 0 ? "" : path.substring(slash + 1)),
                Optional.ofNullable(options.remove("endpoint")).map(S3Location::endpoint),
                Optional.ofNullable(options.remove("region")).map(name -> plain("region", name)),
                Optional.ofNullable(options.remove("profile")).map(name -> plain("profile", name)),
                Optional.ofNullable(options.remove("addressing")).map(S3Location::addressing));
        if (!options.isEmpty()) {
            throw new IllegalArgumentException(
                    "unknown option in an S3 location: \"" + options.keySet().iterator().next() + "\"; it has the form " + FORM);
        }
        return location;
    }

    private static KeyPrefix prefix(String path) {
        String folder = path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
        if (!folder.isEmpty() && !ObjectKey.isValid(folder)) {
            throw new IllegalArgumentException("not a prefix of an S3 location: \"" + path + "\"; it is made of A-Z a-z 0-9 . _ - and slashes");
        }
        return new KeyPrefix(folder.isEmpty() ? "" : folder + '/');
    }

    private static Map<String, String> options(String query) {
        Map<String, String> options = new LinkedHashMap<>();
        for (String option : query.isEmpty() ? new String[0] : query.split("&", -1)) {
            int equals = option.indexOf('=');
            String name = equals < 0 ? option : option.substring(0, equals);
            if (equals < 0 || options.put(name, decode(option.substring(equals + 1))) != null) {
                throw new IllegalArgumentException("each option of an S3 location is name=value, once; \"" + name + "\" is not");
            }
        }
        return options;
    }

    private static String decode(String value) {
        return URLDecoder.decode(value, StandardCharsets.UTF_8);
    }

    private static URI endpoint(String text) {
        try {
            URI uri = URI.create(text);
            boolean plain = uri.getUserInfo() == null && uri.getQuery() == null && uri.getFragment() == null;
            if (uri.getHost() != null && plain && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw new IllegalArgumentException("the endpoint of an S3 location is http://HOST[:PORT] or https://HOST[:PORT], without credentials");
    }

    private static String plain(String option, String value) {
        if (!PLAIN.matcher(value).matches()) {
            throw new IllegalArgumentException("not a " + option + " of an S3 location: \"" + value + '"');
        }
        return value;
    }

    private static Addressing addressing(String value) {
        return switch (value) {
            case "path" -> Addressing.PATH;
            case "virtual" -> Addressing.VIRTUAL;
            default -> throw new IllegalArgumentException("the addressing of an S3 location is path or virtual, not \"" + value + '"');
        };
    }

    boolean usesPathStyle() {
        return addressing.map(Addressing.PATH::equals).orElse(endpoint.isPresent());
    }

    /** How messages name the store: what a user would check first. */
    String forMessages() {
        return bucketAndPrefix() + endpoint.map(uri -> " at " + uri).orElse("");
    }

    private String bucketAndPrefix() {
        return SCHEME + bucket + (prefix.value().isEmpty() ? "" : "/" + prefix.value().substring(0, prefix.value().length() - 1));
    }

    /** The whole location; {@link #parse} reads it back. */
    @Override
    public String toString() {
        StringJoiner options = new StringJoiner("&", "?", "").setEmptyValue("");
        endpoint.ifPresent(uri -> options.add("endpoint=" + encode(uri.toString())));
        region.ifPresent(name -> options.add("region=" + encode(name)));
        profile.ifPresent(name -> options.add("profile=" + encode(name)));
        addressing.ifPresent(style -> options.add("addressing=" + style.name().toLowerCase(Locale.ROOT)));
        return bucketAndPrefix() + options;
    }

    /** Colons and slashes need no escape in a query, and an endpoint is read by people. */
    private static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8).replace("%3A", ":").replace("%2F", "/");
    }
}
