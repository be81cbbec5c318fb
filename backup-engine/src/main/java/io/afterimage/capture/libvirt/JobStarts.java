package io.afterimage.capture.libvirt;

import java.io.Closeable;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LongSummaryStatistics;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import jnr.ffi.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * When QEMU began the jobs of a backup, by its own clock. The call that begins them tells only that it was meanwhile, and most of it is libvirt's
 * preparation, which takes longer the busier the host is.
 *
 * <p>A job that QEMU says it has created has its disk held: from before that, and until all jobs of the transaction run, the disk's requests
 * are drained. So it was as of the cut at that very moment.
 *
 * <p>Thread-safe. Nothing depends on it but how exactly the time is known: what goes wrong here is logged.
 */
final class JobStarts implements Closeable {

    private static final Logger LOG = LoggerFactory.getLogger(JobStarts.class);

    private static final String EVENT = "JOB_STATUS_CHANGE";
    /** How libvirt begins the names of its backup jobs in QEMU, of which a machine has one for each disk. */
    private static final String BACKUP = "backup-";
    /** For events to come that were sent before the call returned. */
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final int LONGEST_DETAILS = 1 << 16;
    private static final long APART = TimeUnit.MICROSECONDS.toNanos(100);

    private static final JsonMapper JSON = new JsonMapper();
    private static final AtomicLong NUMBERS = new AtomicLong();
    private static final Map<Long, JobStarts> LISTENING = new ConcurrentHashMap<>();
    /** One for ever, since libvirt may call it until it has noticed that nobody listens any more. */
    private static final NativeLibvirtQemu.MonitorEvent HANDLER =
            (connection, domain, event, seconds, micros, details, opaque) -> dispatch(seconds, micros, details, opaque);

    private final LibvirtDomain domain;
    private final long number = NUMBERS.incrementAndGet();
    private final CountDownLatch missing;
    private final Map<String, Instant> created = new ConcurrentHashMap<>();
    private Optional<Integer> registration = Optional.empty();
    private Optional<Span> span = Optional.empty();

    private JobStarts(LibvirtDomain domain, int disks) {
        this.domain = domain;
        this.missing = new CountDownLatch(disks);
    }

    /** Listens from now on, if it can. */
    static JobStarts listen(LibvirtDomain domain, int disks) {
        JobStarts starts = new JobStarts(domain, disks);
        LISTENING.put(starts.number, starts);
        try {
            starts.registration = Optional.of(domain.listen(EVENT, HANDLER, starts.number));
        } catch (LibvirtException e) {
            LOG.info("When QEMU cuts the disks is known less exactly: {}", e.getMessage());
            starts.close();
        }
        return starts;
    }

    /** The moments of the first and of the last disk, by {@link System#nanoTime}. */
    record Span(long first, long last) {}

    /** To be called when the call has returned; empty when QEMU's word does not come. */
    synchronized Optional<Span> told() {
        if (registration.isPresent() && areAllTold()) {
            long epoch = epoch();
            LongSummaryStatistics times = created.values().stream().mapToLong(time -> epoch + nanos(time)).summaryStatistics();
            span = Optional.of(new Span(times.getMin(), times.getMax()));
        }
        close();
        return span;
    }

    /** The {@link System#nanoTime} of 1970, which two clocks tell that are asked for the same moment, or nearly so. */
    private static long epoch() {
        while (true) {
            long before = System.nanoTime();
            Instant now = Instant.now();
            if (System.nanoTime() - before < APART) {
                return before - nanos(now);
            }
        }
    }

    private static long nanos(Instant time) {
        return Duration.between(Instant.EPOCH, time).toNanos();
    }

    private boolean areAllTold() {
        try {
            return missing.await(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private static void dispatch(long seconds, int micros, Pointer details, Pointer opaque) {
        try {
            JobStarts starts = LISTENING.get(opaque.address());
            if (starts != null) {
                starts.changed(
                        Instant.ofEpochSecond(seconds).plus(micros, ChronoUnit.MICROS),
                        JSON.readTree(details.getString(0, LONGEST_DETAILS, StandardCharsets.UTF_8)));
            }
        } catch (RuntimeException e) { // it would end in libvirt's C code
            LOG.warn("An event of QEMU's was not understood", e);
        }
    }

    private void changed(Instant time, JsonNode job) {
        String id = job.path("id").asString("");
        if (id.startsWith(BACKUP) && job.path("status").asString("").equals("created") && created.putIfAbsent(id, time) == null) {
            missing.countDown();
        }
    }

    /** Listens no more. */
    @Override
    public synchronized void close() {
        LISTENING.remove(number);
        if (registration.isPresent()) {
            try {
                domain.stopListening(registration.get());
            } catch (LibvirtException e) {
                LOG.debug("With the connection the events have ended: {}", e.getMessage());
            }
            registration = Optional.empty();
        }
    }
}
