package io.afterimage.app;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who started this process and waits to hear that it is ready, and how it is: systemd, for a unit of {@code Type=notify}. The protocol is that of sd_notify(3), one
 * datagram a message, to the socket that {@code NOTIFY_SOCKET} names; the JDK has no datagrams on unix sockets. Nothing fails for want of a listener.
 */
public final class NotifySocket {

    private static final Logger LOG = LoggerFactory.getLogger(NotifySocket.class);
    private static final short AF_UNIX = 1;
    private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
    private static final int MSG_NOSIGNAL = 0x4000;
    private static final int LONGEST_PATH = 107;

    private final Optional<String> socket;

    private NotifySocket(Optional<String> socket) {
        this.socket = socket;
    }

    public static NotifySocket of(Map<String, String> environment) {
        return new NotifySocket(Optional.ofNullable(environment.get("NOTIFY_SOCKET")).filter(path -> !path.isEmpty()));
    }

    /** Says that what was started can be used. */
    public void ready() {
        socket.ifPresent(path -> send(path, "READY=1"));
    }

    /** Says how it is, for whoever asks the service manager. */
    public void status(Supplier<String> line) {
        socket.ifPresent(path -> send(path, "STATUS=" + line.get()));
    }

    private static void send(String path, String message) {
        byte[] name = path.getBytes(StandardCharsets.UTF_8);
        if (name.length > LONGEST_PATH) {
            LOG.warn("The service manager's socket has too long a path: {}", path);
            return;
        }
        if (name[0] == '@') {
            // An abstract socket: its name begins with a zero byte.
            name[0] = 0;
        }
        try (Arena arena = Arena.ofConfined()) {
            // struct sockaddr_un, unix(7): the family, then the path, with a zero byte behind it if it is a file's.
            int length = Short.BYTES + name.length + (name[0] == 0 ? 0 : 1);
            MemorySegment address = arena.allocate(length + 1L, Short.BYTES);
            address.set(JAVA_SHORT, 0, AF_UNIX);
            MemorySegment.copy(name, 0, address, JAVA_BYTE, Short.BYTES, name.length);
            MemorySegment text = arena.allocateFrom(message);
            int descriptor = (int) Calls.SOCKET.invokeExact((int) AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
            long sent = (long) Calls.SENDTO.invokeExact(descriptor, text, text.byteSize() - 1, MSG_NOSIGNAL, address, length);
            int _ = (int) Calls.CLOSE.invokeExact(descriptor);
            if (sent < 0) {
                LOG.warn("The service manager does not listen at {}.", path);
            }
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Bound when first needed: most runs have nobody to tell. */
    private static final class Calls {

        private static final MethodHandle SOCKET = bind("socket", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT));
        private static final MethodHandle SENDTO =
                bind("sendto", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT));
        private static final MethodHandle CLOSE = bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));

        @SuppressWarnings("restricted") // the signatures are those of the manual pages, section 2
        private static MethodHandle bind(String name, FunctionDescriptor type) {
            Linker linker = Linker.nativeLinker();
            return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), type);
        }
    }
}
