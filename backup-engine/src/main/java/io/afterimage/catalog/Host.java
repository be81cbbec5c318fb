package io.afterimage.catalog;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Optional;

/**
 * Who holds a lease, so that a process on the same host finds out at once that the holder is dead. Names no host: the host
 * is a hash of the kernel's boot id and of the namespace in which process ids mean anything.
 *
 * @param host 16 hex digits
 * @param process the process id
 * @param started when the process was started, in milliseconds since 1970, since process ids come again
 */
record Host(String host, long process, long started) {

    private static final Path BOOT = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Path PROCESSES = Path.of("/proc/self/ns/pid");

    static Host self() throws IOException {
        return new Host(hostDigits(), ProcessHandle.current().pid(), started(ProcessHandle.current()));
    }

    /** Whether the process is known to have ended; false when it cannot be known from here. */
    boolean isDead() throws IOException {
        if (!host.equals(hostDigits())) {
            return false;
        }
        Optional<ProcessHandle> found = ProcessHandle.of(process).filter(ProcessHandle::isAlive);
        return found.isEmpty() || started(found.get()) != started;
    }

    private static long started(ProcessHandle handle) {
        return handle.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
    }

    private static String hostDigits() throws IOException {
        String identity = Files.readString(BOOT) + Files.readSymbolicLink(PROCESSES);
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(identity.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}
