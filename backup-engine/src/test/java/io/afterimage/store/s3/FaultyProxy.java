package io.afterimage.store.s3;

import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Stands between an HTTP/1.1 client and server and spoils requests as told, one fault a request, in the order in which they
 * come. Knows of HTTP no more than where requests and responses end.
 */
public final class FaultyProxy implements Closeable {

    /** What is done to one request. */
    public sealed interface Fault {

        /** The server never sees it; the client gets this status. */
        record Refuse(int status) implements Fault {}

        /** The server does it; the client gets this status. */
        record FailAfterEffect(int status) implements Fault {}

        /** The connection is closed when the server has got this many bytes of the request's body. */
        record CutRequest(int bodyBytes) implements Fault {}

        /** The server does it; the connection is closed when the client has got this many bytes of the response's body, or -1: not even a header. */
        record CutResponse(int bodyBytes) implements Fault {}

        /** The server does it; the client waits for the answer until the proxy is closed. */
        record Stall() implements Fault {}
    }

    private static final int PIECE = 1 << 16;

    private final ServerSocket listener = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
    private final int serverPort;
    private final Duration latency;
    private final Observer observer;
    private final Link link;
    private final Queue<Fault> faults = new ConcurrentLinkedQueue<>();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final CountDownLatch closed = new CountDownLatch(1);

    /** Is told of each request that was answered in full, by the thread that answered it. */
    public interface Observer {

        /**
         * A request was answered.
         *
         * @param line method, path and version
         * @param range the header Range, or an empty text
         * @param bytes of the response's body
         */
        void answered(String line, String range, long bytes);
    }

    /** @param latency that every request takes in addition */
    public FaultyProxy(int serverPort, Duration latency) throws IOException {
        this(serverPort, latency, (_, _, _) -> {});
    }

    public FaultyProxy(int serverPort, Duration latency, Observer observer) throws IOException {
        this(serverPort, latency, observer, Link.unbounded());
    }

    /** @param link what answers go over */
    FaultyProxy(int serverPort, Duration latency, Observer observer, Link link) throws IOException {
        this.serverPort = serverPort;
        this.link = link;
        this.latency = latency;
        this.observer = observer;
        Thread.ofVirtual().start(this::accept);
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + listener.getLocalPort());
    }

    /** Spoils the next request that is not spoilt yet. */
    public void inject(Fault fault) {
        faults.add(fault);
    }

    /** How many faults still wait for a request. */
    public int pending() {
        return faults.size();
    }

    private void accept() {
        try {
            while (true) {
                Socket client = listener.accept();
                open.add(client);
                Thread.ofVirtual().start(() -> serve(client));
            }
        } catch (IOException e) {
            // Closed.
        }
    }

    private void serve(Socket client) {
        try (client; Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort)) {
            open.add(server);
            client.setTcpNoDelay(true);
            server.setTcpNoDelay(true);
            InputStream requests = new BufferedInputStream(client.getInputStream());
            InputStream responses = new BufferedInputStream(server.getInputStream());
            while (exchange(requests, server.getOutputStream(), responses, client.getOutputStream(), faults)) {}
            open.remove(server);
        } catch (IOException e) {
            // A side went away, or a fault is to look like that.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            open.remove(client);
        }
    }

    /** One request and its response; false when the connection is to be closed. */
    private boolean exchange(InputStream requests, OutputStream toServer, InputStream responses, OutputStream toClient, Queue<Fault> queue)
            throws IOException, InterruptedException {
        Head request = Head.read(requests);
        Fault fault = queue.poll();
        closed.await(latency.toNanos(), TimeUnit.NANOSECONDS);
        if (fault instanceof Fault.Refuse refuse) {
            return answer(toClient, refuse.status());
        }
        if (request.expectsContinue()) {
            toClient.write("HTTP/1.1 100 Continue\r\n\r\n".getBytes(StandardCharsets.ISO_8859_1));
            toClient.flush();
        }
        toServer.write(request.withoutExpectation());
        if (fault instanceof Fault.CutRequest cut) {
            copy(requests, toServer, Math.min(cut.bodyBytes(), request.length()));
            return false;
        }
        copy(requests, toServer, request.length());
        Head response = Head.read(responses);
        InputStream body = responses;
        if (response.isChunked()) {
            byte[] whole = chunks(responses);
            body = new ByteArrayInputStream(whole);
            response = response.withLength(whole.length);
        }
        long length = request.line().startsWith("HEAD") ? 0 : response.length();
        return switch (fault) {
            case Fault.FailAfterEffect fail -> answer(toClient, fail.status());
            case Fault.Stall _ -> {
                closed.await();
                yield false;
            }
            case Fault.CutResponse cut -> {
                if (cut.bodyBytes() >= 0) {
                    toClient.write(response.bytes());
                    carry(body, toClient, Math.min(cut.bodyBytes(), length));
                }
                yield false;
            }
            case null, default -> {
                toClient.write(response.bytes());
                carry(body, toClient, length);
                observer.answered(request.line(), request.fields().getOrDefault("range", ""), length);
                yield true;
            }
        };
    }

    /** The chunked coding of RFC 9112 section 7.1, undone. */
    private static byte[] chunks(InputStream from) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        while (true) {
            int size = Integer.parseInt(Head.line(from), 16);
            copy(from, whole, size);
            Head.line(from);
            if (size == 0) {
                return whole.toByteArray();
            }
        }
    }

    private static boolean answer(OutputStream toClient, int status) throws IOException {
        toClient.write(("HTTP/1.1 " + status + " Injected\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").getBytes(StandardCharsets.ISO_8859_1));
        toClient.flush();
        return false;
    }

    private void carry(InputStream body, OutputStream toClient, long bytes) throws IOException, InterruptedException {
        for (long left = bytes; left > 0; ) {
            int piece = (int) Math.min(left, PIECE);
            link.carry(piece);
            copy(body, toClient, piece);
            left -= piece;
        }
        toClient.flush();
    }

    private static void copy(InputStream from, OutputStream to, long bytes) throws IOException {
        byte[] buffer = new byte[(int) Math.min(PIECE, bytes)];
        for (long left = bytes; left > 0; ) {
            int count = from.read(buffer, 0, (int) Math.min(buffer.length, left));
            if (count < 0) {
                throw new EOFException();
            }
            to.write(buffer, 0, count);
            left -= count;
        }
        to.flush();
    }

    @Override
    public void close() throws IOException {
        listener.close();
        closed.countDown();
        for (Socket socket : open) {
            socket.close();
        }
    }

    /** The lines before a body. */
    private record Head(String line, Map<String, String> fields) {

        static Head read(InputStream from) throws IOException {
            String line = line(from);
            Map<String, String> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            for (String field = line(from); !field.isEmpty(); field = line(from)) {
                int colon = field.indexOf(':');
                fields.put(field.substring(0, colon), field.substring(colon + 1).strip());
            }
            return new Head(line, fields);
        }

        private static String line(InputStream from) throws IOException {
            ByteArrayOutputStream line = new ByteArrayOutputStream();
            for (int b = from.read(); b != '\n'; b = from.read()) {
                if (b < 0) {
                    throw new EOFException();
                }
                line.write(b);
            }
            return line.toString(StandardCharsets.ISO_8859_1).strip();
        }

        long length() {
            return Long.parseLong(fields.getOrDefault("Content-Length", "0"));
        }

        boolean isChunked() {
            return fields.containsKey("Transfer-Encoding");
        }

        Head withLength(int length) {
            Map<String, String> known = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
            known.putAll(fields);
            known.remove("Transfer-Encoding");
            known.put("Content-Length", Integer.toString(length));
            return new Head(line, known);
        }

        boolean expectsContinue() {
            return fields.getOrDefault("Expect", "").toLowerCase(Locale.ROOT).equals("100-continue");
        }

        /** The proxy has answered the expectation itself. */
        byte[] withoutExpectation() {
            Map<String, String> rest = new TreeMap<>(fields);
            rest.keySet().removeIf(name -> name.equalsIgnoreCase("Expect"));
            return new Head(line, rest).bytes();
        }

        byte[] bytes() {
            StringBuilder text = new StringBuilder(line).append("\r\n");
            fields.forEach((name, value) -> text.append(name).append(": ").append(value).append("\r\n"));
            return text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1);
        }
    }
}
