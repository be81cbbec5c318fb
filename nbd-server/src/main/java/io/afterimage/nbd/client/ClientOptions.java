package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.MetaContext;
import io.afterimage.nbd.protocol.ReplyForm;
import java.time.Duration;
import java.util.List;

/**
 * How a client connects.
 *
 * @param contexts metadata contexts to select if the server has them
 * @param connections most connections to one export; one is used unless the server says that they see each other's writes
 * @param best the best form of replies to ask for
 * @param connectTime until the connection stands
 * @param negotiationTime from there until the first request may be sent, TLS included
 * @param requestTime until a request is answered; when it is exceeded, the connection is given up
 */
public record ClientOptions(
        List<String> contexts, int connections, ReplyForm best, Duration connectTime, Duration negotiationTime, Duration requestTime) {

    /** Holes and zeros, one connection, a minute for a request. */
    public static final ClientOptions DEFAULT = new ClientOptions(
            List.of(MetaContext.BASE_ALLOCATION),
            1,
            ReplyForm.EXTENDED,
            Duration.ofSeconds(10),
            Duration.ofSeconds(10),
            Duration.ofSeconds(60));

    public ClientOptions {
        contexts = List.copyOf(contexts);
        if (connections < 1) {
            throw new IllegalArgumentException("a client has at least one connection: " + connections);
        }
    }

    /** These contexts and no others. */
    public ClientOptions withContexts(String... names) {
        return new ClientOptions(List.of(names), connections, best, connectTime, negotiationTime, requestTime);
    }

    public ClientOptions withConnections(int count) {
        return new ClientOptions(contexts, count, best, connectTime, negotiationTime, requestTime);
    }

    public ClientOptions withBest(ReplyForm form) {
        return new ClientOptions(contexts, connections, form, connectTime, negotiationTime, requestTime);
    }

    public ClientOptions withConnectTime(Duration time) {
        return new ClientOptions(contexts, connections, best, time, negotiationTime, requestTime);
    }

    public ClientOptions withNegotiationTime(Duration time) {
        return new ClientOptions(contexts, connections, best, connectTime, time, requestTime);
    }

    public ClientOptions withRequestTime(Duration time) {
        return new ClientOptions(contexts, connections, best, connectTime, negotiationTime, time);
    }
}
