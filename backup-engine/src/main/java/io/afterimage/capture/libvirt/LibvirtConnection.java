package io.afterimage.capture.libvirt;

import java.io.Closeable;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jnr.ffi.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to the libvirt daemon of this host. A daemon that is restarted, as a package update does while machines go on, is
 * connected to again. Thread-safe; one call at a time.
 */
public final class LibvirtConnection implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(LibvirtConnection.class);

    /** libvirt's own name for the machines of the host; those of the user are {@code qemu:///session}. */
    public static final String SYSTEM = "qemu:///system";

    private static final Set<String> HERE = Set.of("", "localhost", "127.0.0.1", "::1");
    private static final int KEEP_ALIVE_SECONDS = 5;
    private static final int KEEP_ALIVE_MISSES = 5;
    private static final Duration COMEBACK = Duration.ofSeconds(30);
    private static final Duration KNOCK = Duration.ofMillis(250);
    private static final Pattern SOCKET = Pattern.compile("(?:^|&)socket=([^&]*)");
    private static final int UUID_BUFFER = 37;
    /** Which every host's processor is one of. */
    private static final String ANY_CPU = "<cpu/>";

    private static final int COMPARE_CPU_VALIDATE_XML = 1 << 1;

    private final LibvirtLibrary library;
    private final String uri;
    /** Null while there is none. */
    private Pointer connection;

    private boolean closed;

    private LibvirtConnection(LibvirtLibrary library, String uri, Pointer connection) {
        this.library = library;
        this.uri = uri;
        this.connection = connection;
    }

    /**
     * Connects.
     *
     * @param uri as {@code virsh -c} takes it; of this host, since a machine's disks are read through a unix socket
     */
    public static LibvirtConnection open(String uri) throws LibvirtException {
        if (!HERE.contains(host(uri))) {
            throw new LibvirtException("The libvirt at " + uri
                    + " is on another host, and disks are read through a unix socket of QEMU's: run the backup on that host");
        }
        LibvirtLibrary library = LibvirtLibrary.load();
        return new LibvirtConnection(library, uri, connect(library, uri));
    }

    private static String host(String uri) throws LibvirtException {
        try {
            String host = new URI(uri).getHost();
            return host == null ? "" : host;
        } catch (URISyntaxException e) {
            throw new LibvirtException("'" + uri + "' is no libvirt URI; one is " + SYSTEM, e);
        }
    }

    private static Pointer connect(LibvirtLibrary library, String uri) throws LibvirtException {
        Pointer connection = library.check(
                library.functions().virConnectOpen(uri),
                "libvirt does not answer at " + uri + ": see that libvirtd runs and that you are root, or in the group libvirt");
        // 1: the daemon is too old for it, which only means waiting longer for one that hangs.
        library.check(
                library.functions().virConnectSetKeepAlive(connection, KEEP_ALIVE_SECONDS, KEEP_ALIVE_MISSES),
                "The connection to " + uri + " cannot be kept alive");
        return connection;
    }

    public String uri() {
        return uri;
    }

    /** The file of the daemon's socket where the URI names it. */
    Optional<String> socket() {
        return Optional.ofNullable(URI.create(uri).getQuery()).map(SOCKET::matcher).filter(Matcher::find).map(found -> found.group(1));
    }

    /**
     * A domain of the daemon's.
     *
     * @param word its name or its UUID
     */
    public LibvirtDomain domain(String word) throws LibvirtException {
        return ask((functions, open) -> {
            Pointer domain = functions.virDomainLookupByName(open, word);
            if (domain == null) {
                domain = functions.virDomainLookupByUUIDString(open, word);
            }
            if (domain == null) {
                throw new LibvirtException("libvirt at " + uri + " has no domain '" + word
                        + "': 'virsh list --all' shows those that it has, and --domain names one that is called otherwise than the machine");
            }
            try {
                byte[] uuid = new byte[UUID_BUFFER];
                library.check(functions.virDomainGetUUIDString(domain, uuid), "The domain has no UUID");
                return new LibvirtDomain(
                        this, functions.virDomainGetName(domain), new String(uuid, 0, UUID_BUFFER - 1, StandardCharsets.US_ASCII));
            } finally {
                functions.virDomainFree(domain);
            }
        });
    }

    /** The definition of a network. */
    String network(String name) throws LibvirtException {
        return ask((functions, open) -> {
            Pointer network = library.check(functions.virNetworkLookupByName(open, name), "There is no network " + name);
            try {
                return library.take(functions.virNetworkGetXMLDesc(network, 0), "The network " + name + " is not told");
            } finally {
                functions.virNetworkFree(network);
            }
        });
    }

    /** The definition of a storage pool. */
    String pool(String name) throws LibvirtException {
        return ask((functions, open) -> {
            Pointer pool = library.check(functions.virStoragePoolLookupByName(open, name), "There is no storage pool " + name);
            try {
                return library.take(functions.virStoragePoolGetXMLDesc(pool, 0), "The storage pool " + name + " is not told");
            } finally {
                functions.virStoragePoolFree(pool);
            }
        });
    }

    /**
     * Has the daemon read an XML schema, which nothing comes of. A backup's documents are checked against schemas, and libxml2 (2.9 was seen to)
     * fills its table of types at the first one without a lock: of two backups that a fresh daemon begins at once, one may be refused, or
     * from then on all. Afterwards they may begin at once.
     */
    void readSchema() {
        try {
            ask((functions, open) -> library.check(
                    functions.virConnectCompareCPU(open, ANY_CPU, COMPARE_CPU_VALIDATE_XML), "libvirt reads no schema before the backup"));
        } catch (LibvirtException e) {
            LOG.debug("{}", e.getMessage()); // then whatever it is matters where it matters
        }
    }

    LibvirtLibrary library() {
        return library;
    }

    /** Calls of the library that belong together. */
    @FunctionalInterface
    interface Call<T> {
        T on(NativeLibvirt functions, Pointer connection) throws LibvirtException;
    }

    /** What may be asked twice is asked again when the daemon went away and came back. */
    synchronized <T> T ask(Call<T> call) throws LibvirtException {
        if (connection != null) {
            try {
                return once(call);
            } catch (LibvirtException e) {
                if (library.functions().virConnectIsAlive(connection) == 1) {
                    throw e;
                }
                library.functions().virConnectClose(connection);
                connection = null;
            }
        }
        reconnect();
        return once(call);
    }

    /** What must not be done twice. */
    synchronized <T> T once(Call<T> call) throws LibvirtException {
        if (connection == null) {
            throw new LibvirtException("There is no connection to libvirt at " + uri);
        }
        return call.on(library.functions(), connection);
    }

    private void reconnect() throws LibvirtException {
        if (closed) {
            throw new LibvirtException("The connection to libvirt at " + uri + " is closed");
        }
        long giveUp = System.nanoTime() + COMEBACK.toNanos();
        while (connection == null) {
            try {
                connection = connect(library, uri);
            } catch (LibvirtException e) {
                if (System.nanoTime() - giveUp > 0) {
                    throw e;
                }
                pause();
            }
        }
    }

    private static void pause() throws LibvirtException {
        try {
            TimeUnit.MILLISECONDS.sleep(KNOCK.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LibvirtException("interrupted while libvirt was away", e);
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        if (connection != null) {
            library.functions().virConnectClose(connection);
            connection = null;
        }
    }
}
