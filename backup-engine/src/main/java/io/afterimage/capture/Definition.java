package io.afterimage.capture;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Collects the documents that tell what a machine is beside its disks (docs/formats/manifest.md). Each is bounded, since every point
 * carries them all. For one thread.
 */
public final class Definition {

    /** Ends the name of a document that holds bytes: they are compressed by gzip, and written in Base64. */
    public static final String BINARY = ".gz.base64";

    private static final Logger LOG = LoggerFactory.getLogger(Definition.class);
    private static final int MOST_CHARACTERS = 2 << 20;
    /** Flash of an ARM machine has 64 MiB, nearly all of them empty. */
    private static final int MOST_BYTES = 64 << 20;

    private final SortedMap<String, String> documents = new TreeMap<>();

    /** Adds a text; one that is too long is left out, and the log says so. */
    public void put(String name, String text) {
        if (text.length() > MOST_CHARACTERS) {
            LOG.warn("The machine's {} is not kept in the point: it has {} characters, and {} are the most", name, text.length(), MOST_CHARACTERS);
        } else {
            documents.put(name, text);
        }
    }

    /** Adds the content of a file, as a binary document; what cannot be read, or is too long, is left out, and the log says so. */
    public void putFile(String name, Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                LOG.warn("{} is not kept in the point: it has more than {} bytes", file, MOST_BYTES);
            } else {
                put(name + BINARY, encode(bytes));
            }
        } catch (IOException e) {
            LOG.info("{} is not kept in the point: {}", file, e.toString());
        }
    }

    /** What has been collected, by name. */
    public SortedMap<String, String> documents() {
        return documents;
    }

    private static String encode(byte[] bytes) {
        ByteArrayOutputStream compressed = new ByteArrayOutputStream();
        try (GZIPOutputStream out = new GZIPOutputStream(compressed)) {
            out.write(bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e); // memory does not fail
        }
        return Base64.getEncoder().encodeToString(compressed.toByteArray());
    }

    /**
     * The bytes of a binary document.
     *
     * @throws IOException it is none, or it unfolds to more than a point keeps
     */
    public static byte[] decode(String document) throws IOException {
        try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(document)))) {
            byte[] bytes = in.readNBytes(MOST_BYTES + 1);
            if (bytes.length > MOST_BYTES) {
                throw new IOException("it has more than " + MOST_BYTES + " bytes");
            }
            return bytes;
        } catch (IllegalArgumentException e) {
            throw new IOException("it is not in Base64", e);
        }
    }
}
