package io.afterimage.capture.libvirt;

import io.afterimage.capture.libvirt.LibvirtException.Refusal;
import java.nio.charset.StandardCharsets;
import jnr.ffi.LibraryLoader;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * libvirt's client library, found when it is first asked for: who backs up by other ways need not have it. Thread-safe; an error
 * belongs to the thread that made the call, so it is fetched before anything else is done.
 */
final class LibvirtLibrary {

    private static final Logger LOG = LoggerFactory.getLogger(LibvirtLibrary.class);

    /** The name of the library's interface; it has not changed since 2005. */
    private static final String FILE = "libvirt.so.0";

    /** What libvirt may answer at most, far above what it does. */
    private static final int LONGEST_TEXT = 64 << 20;

    /** The library keeps a bare pointer to it. */
    private static final NativeLibvirt.ErrorHandler SILENCE = (context, error) -> {};

    /** Beside it, in the same packages. */
    private static final String QEMU_FILE = "libvirt-qemu.so.0";

    private static LibvirtLibrary loaded;

    private final NativeLibvirt functions;
    private NativeLibvirtQemu qemuFunctions;

    private LibvirtLibrary(NativeLibvirt functions) {
        this.functions = functions;
    }

    static synchronized LibvirtLibrary load() throws LibvirtException {
        if (loaded == null) {
            LibvirtLibrary library = new LibvirtLibrary(find());
            library.functions.virSetErrorFunc(null, SILENCE);
            library.startEventLoop();
            loaded = library;
        }
        return loaded;
    }

    private static NativeLibvirt find() throws LibvirtException {
        try {
            return LibraryLoader.create(NativeLibvirt.class).library(FILE).library("libc.so.6").failImmediately().load();
        } catch (UnsatisfiedLinkError e) {
            throw new LibvirtException(
                    "libvirt's client library " + FILE + " is not on this host: install the package libvirt0, or back the machine up by --qmp", e);
        }
    }

    /** Without it a daemon that hangs would be waited for without end: nobody would send it, or miss, signs of life. */
    private void startEventLoop() throws LibvirtException {
        check(functions.virEventRegisterDefaultImpl(), "libvirt's event loop cannot be made");
        Thread.ofPlatform().name("libvirt-events").daemon().start(() -> {
            while (functions.virEventRunDefaultImpl() >= 0) {
                // It waits for events itself.
            }
            LOG.warn("libvirt's event loop has ended: {}", functions.virGetLastErrorMessage());
        });
    }

    NativeLibvirt functions() {
        return functions;
    }

    /** Those that listen to QEMU. */
    synchronized NativeLibvirtQemu qemuFunctions() throws LibvirtException {
        if (qemuFunctions == null) {
            try {
                qemuFunctions = LibraryLoader.create(NativeLibvirtQemu.class).library(QEMU_FILE).failImmediately().load();
            } catch (UnsatisfiedLinkError e) {
                throw new LibvirtException("libvirt's library " + QEMU_FILE + " is not on this host", e);
            }
        }
        return qemuFunctions;
    }

    Runtime runtime() {
        return Runtime.getRuntime(functions);
    }

    /** Returns the result if it is none of a failed call; {@code trouble} says what could not be done. */
    int check(int result, String trouble) throws LibvirtException {
        if (result < 0) {
            throw failure(trouble);
        }
        return result;
    }

    Pointer check(Pointer result, String trouble) throws LibvirtException {
        if (result == null) {
            throw failure(trouble);
        }
        return result;
    }

    private LibvirtException failure(String trouble) {
        int code = functions.virGetLastErrorCode();
        return new LibvirtException(trouble + " (libvirt: " + functions.virGetLastErrorMessage() + ")", Refusal.of(code));
    }

    /** Takes over a text that libvirt has made. */
    String take(Pointer text, String trouble) throws LibvirtException {
        check(text, trouble);
        try {
            return text.getString(0, LONGEST_TEXT, StandardCharsets.UTF_8);
        } finally {
            functions.free(text);
        }
    }
}
