package io.afterimage.capture.libvirt;

import io.afterimage.capture.agent.AgentException;
import io.afterimage.capture.agent.Freezer;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The guest's agent by way of libvirt, which waits for it without limit and does one thing at a time with it. So each call has a
 * connection and a thread of its own. One that is given up is not undone: a thaw tries on for
 * {@value #TRY_ON_MINUTES} minutes at most, in a watchdog even when that has nothing else to do, since libvirt refuses it until the agent has answered what it was asked before.
 */
final class LibvirtFreezer implements Freezer {

    /** The name of the agent in the scratch folder's note, and in what a watchdog is told. */
    static final String NAME = "libvirt";

    /** {@code VIR_DOMAIN_GUEST_INFO_HOSTNAME}. */
    private static final int HOST_NAME = 1 << 3;

    private static final int TRY_ON_MINUTES = 10;
    private static final Duration PAUSE = Duration.ofMillis(500);

    private final String uri;
    private final String uuid;

    private final boolean toTheEnd;

    /** @param toTheEnd whether the process is not to end before a thaw that was begun */
    private LibvirtFreezer(String uri, String uuid, boolean toTheEnd) {
        this.uri = uri;
        this.uuid = uuid;
        this.toTheEnd = toTheEnd;
    }

    static LibvirtFreezer ofWatchdog(String uri, String uuid) {
        return new LibvirtFreezer(uri, uuid, true);
    }

    static LibvirtFreezer of(LibvirtDomain domain) {
        return new LibvirtFreezer(domain.connection().uri(), domain.uuid(), false);
    }

    /** Asks for the host's name. */
    @Override
    public void awaitAnswer(Duration limit) throws AgentException {
        info(HOST_NAME, limit);
    }

    /**
     * What the agent knows of the guest; nothing where it does not know the question.
     *
     * @param kind one of {@code VIR_DOMAIN_GUEST_INFO_}
     * @throws AgentException there is no agent, or none that answers
     */
    Map<String, Object> info(int kind, Duration limit) throws AgentException {
        return within(limit, true, () -> on(domain -> {
            if (!hasAgent(XmlElement.parse(domain.xml(false)))) {
                throw new AgentException("libvirt sees no guest agent: install qemu-guest-agent in the guest, and give the domain a channel org.qemu.guest_agent.0");
            }
            try {
                return domain.guestInfo(kind);
            } catch (LibvirtException e) {
                if (e.refusal() == LibvirtException.Refusal.AGENT_UNRESPONSIVE) {
                    throw new AgentException("the guest agent does not answer libvirt", e);
                }
                return Map.of(); // it has said that it does not know that
            }
        }));
    }

    static boolean hasAgent(XmlElement domain) {
        return domain.at("devices").map(devices -> devices.all("channel")).orElse(List.of()).stream()
                .anyMatch(channel -> channel.attribute("name", "target").equals("org.qemu.guest_agent.0")
                        && channel.attribute("state", "target").equals("connected"));
    }

    @Override
    public int freeze(Duration limit) throws AgentException {
        int count = within(limit, true, () -> on(LibvirtDomain::freezeFileSystems));
        if (count < 1) {
            throw new AgentException("the guest agent has frozen no file system: the guest has none that can be");
        }
        return count;
    }

    @Override
    public int thaw(Duration limit) throws AgentException {
        return within(limit, !toTheEnd, this::thawInTheEnd);
    }

    private int thawInTheEnd() throws IOException, InterruptedException {
        long giveUp = System.nanoTime() + TimeUnit.MINUTES.toNanos(TRY_ON_MINUTES);
        while (true) {
            try {
                return on(LibvirtDomain::thawFileSystems);
            } catch (LibvirtException e) {
                if (System.nanoTime() - giveUp > 0) {
                    throw e;
                }
                TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
            }
        }
    }

    @FunctionalInterface
    private interface Request<T> {
        T of(LibvirtDomain domain) throws IOException;
    }

    @FunctionalInterface
    private interface Call<T> {
        T run() throws IOException, InterruptedException;
    }

    private <T> T on(Request<T> request) throws IOException {
        try (LibvirtConnection connection = LibvirtConnection.open(uri)) {
            return request.of(connection.domain(uuid));
        }
    }

    /** @param daemon whether the call may end with the process */
    private static <T> T within(Duration limit, boolean daemon, Call<T> call) throws AgentException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        // Of the system's: libvirt tells errors by thread.
        Thread.ofPlatform().name("libvirt-agent").daemon(daemon).start(() -> {
            try {
                answer.complete(call.run());
            } catch (IOException | RuntimeException e) {
                answer.completeExceptionally(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                answer.completeExceptionally(e);
            }
        });
        try {
            return answer.get(Math.max(1, limit.toMillis()), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AgentException("the guest agent does not answer libvirt in time", e);
        } catch (ExecutionException e) {
            throw new AgentException(e.getCause().getMessage(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AgentException("interrupted while the guest agent was waited for", e);
        }
    }

    @Override
    public void close() {
        // Each call had its own connection.
    }
}
