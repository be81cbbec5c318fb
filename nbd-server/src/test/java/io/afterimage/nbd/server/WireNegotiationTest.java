package io.afterimage.nbd.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.block.MemoryDevice;
import io.afterimage.nbd.protocol.BlockSizes;
import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.NbdUri;
import io.afterimage.nbd.protocol.StatusExtent;
import io.afterimage.nbd.server.RawClient.Reply;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The handshake on the wire, legal and illegal ("Newstyle negotiation", "Option types"). Errors are numbers of the protocol, negated. */
final class WireNegotiationTest {

    private static final int ACK = 1;
    private static final int UNSUP = -1;
    private static final int POLICY = -2;
    private static final int INVALID = -3;
    private static final int UNKNOWN = -6;
    private static final int SHUTDOWN = -7;
    private static final int TOO_BIG = -9;
    private static final int EXT_HEADER_REQD = -10;

    private static final int EXPORT_NAME = 1;
    private static final int ABORT = 2;
    private static final int LIST = 3;
    private static final int STARTTLS = 5;
    private static final int INFO = 6;
    private static final int GO = 7;
    private static final int STRUCTURED = 8;
    private static final int LIST_META = 9;
    private static final int SET_META = 10;
    private static final int EXTENDED = 11;

    private NbdServer server;
    private int port;

    @BeforeEach
    void start() throws IOException {
        start(Limits.DEFAULT);
    }

    private void start(Limits limits) throws IOException {
        Export first = new Export(new MemoryDevice(1 << 20), "first words")
                .withContext("x-test:a/1", (range, limit) -> List.of(new StatusExtent(range, 1)))
                .withContext("x-test:a/2", (range, limit) -> List.of(new StatusExtent(range, 2)));
        Export second = new Export(new MemoryDevice(4096), "");
        for (int i = 0; i < 33; i++) {
            second = second.withContext("x-test:b/" + i, (range, limit) -> List.of(new StatusExtent(range, 1)));
        }
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)).withLimits(limits), MapExports.of("one", first).and("two", second));
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
    }

    @AfterEach
    void stop() throws IOException {
        server.close();
    }

    @Test
    void clientFlagsThatWereNotOfferedEndTheConnection() throws IOException {
        for (int flags : new int[] {4, 1 << 16, 1 << 31, 7}) {
            try (RawClient client = RawClient.greeted(port, flags)) {
                client.assertClosed();
            }
        }
    }

    @Test
    void exportNameAnswersBareWithAndWithoutPadding() throws IOException {
        for (int flags = 0; flags < 4; flags++) {
            try (RawClient client = RawClient.greeted(port, flags)) {
                client.option(EXPORT_NAME, "one".getBytes(StandardCharsets.UTF_8));
                ByteBuffer reply = ByteBuffer.wrap(client.read((flags & 2) != 0 ? 10 : 134));
                assertEquals(1 << 20, reply.getLong());
                assertEquals(0b1101_0110_1101, reply.getShort(), "flush, fua, trim, zeroes, multi-conn, cache, fast zero; no DF");
                client.send(RawClient.request(0, 0, 7, 0, 512));
                assertEquals(0, client.simple(7));
                client.read(512);
            }
        }
    }

    @Test
    void exportNameWithoutAnExportEndsTheConnection() throws IOException {
        for (byte[] name : List.of("none".getBytes(StandardCharsets.UTF_8), new byte[0], new byte[4097], new byte[70_000], new byte[] {'o', 0})) {
            try (RawClient client = RawClient.greeted(port)) {
                client.option(EXPORT_NAME, name).assertClosed();
            }
        }
    }

    @Test
    void withoutFixedNewstyleOnlyExportNameIsValid() throws IOException {
        for (int option : new int[] {ABORT, LIST, INFO, GO, STRUCTURED, 77}) {
            try (RawClient client = RawClient.greeted(port, 0)) {
                client.option(option).assertClosed();
            }
        }
    }

    @Test
    void badOptionMagicEndsTheConnection() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            client.send(ByteBuffer.allocate(16).putLong(Magic.OPTION + 1).putInt(LIST).putInt(0)).assertClosed();
        }
    }

    @Test
    void unknownOptionsAreRefusedAndSkipped() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            for (int code : new int[] {0, 4, 12, 99, -1, Integer.MIN_VALUE}) {
                client.option(code, new byte[300]);
                Reply reply = client.reply();
                assertEquals(code, reply.option());
                assertEquals(0x80000001, reply.type());
                assertTrue(reply.text().contains("not known"), reply.text());
            }
            assertEquals(ACK, client.ask(LIST));
        }
    }

    @Test
    void oversizeOptionsAreSkippedThenDropped() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(TOO_BIG, client.ask(GO, new byte[65_537]));
            assertEquals(TOO_BIG, client.ask(LIST_META, new byte[1 << 20]));
            assertEquals(UNSUP, client.ask(99, new byte[1 << 20]));
            assertEquals(ACK, client.ask(LIST));
        }
        for (int length : new int[] {(1 << 20) + 1, (64 << 20) + 1, Integer.MAX_VALUE, -1}) {
            try (RawClient client = RawClient.greeted(port)) {
                client.send(ByteBuffer.allocate(16).putLong(Magic.OPTION).putInt(INFO).putInt(length)).assertClosed();
            }
        }
    }

    @Test
    void abortIsAcknowledgedWhateverItsPayload() throws IOException {
        for (int length : new int[] {0, 5, 100_000}) {
            try (RawClient client = RawClient.greeted(port)) {
                assertEquals(ACK, client.ask(ABORT, new byte[length]));
                client.assertClosed();
            }
        }
    }

    @Test
    void listShowsNamesAndDescriptionsAndMayBeRepeated() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            for (int i = 0; i < 2; i++) {
                List<Reply> replies = client.option(LIST).replies();
                assertEquals(3, replies.size());
                assertArrayEquals("\0\0\0\3onefirst words".getBytes(StandardCharsets.UTF_8), replies.get(0).payload());
                assertArrayEquals("\0\0\0\3two".getBytes(StandardCharsets.UTF_8), replies.get(1).payload());
            }
            assertEquals(INVALID, client.ask(LIST, (byte) 1));
        }
    }

    @Test
    void tlsIsRefusedByPolicyWhereThereIsNone() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(POLICY, client.ask(STARTTLS));
            assertEquals(INVALID, client.ask(STARTTLS, (byte) 0));
        }
    }

    @Test
    void infoTellsWhatIsAskedAndAlwaysTheExport() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            List<Reply> only = client.option(INFO, RawClient.info("one")).replies();
            assertEquals(2, only.size());
            assertEquals(12, only.getFirst().payload().length);
            List<Reply> all = client.option(INFO, RawClient.info("one", 1, 2, 3, 999, 3)).replies();
            assertEquals(5, all.size());
            assertEquals("\0\1one", all.get(0).text());
            assertEquals("\0\2first words", all.get(1).text());
            ByteBuffer sizes = ByteBuffer.wrap(all.get(2).payload());
            assertEquals(3, sizes.getShort());
            assertEquals(1, sizes.getInt());
            assertEquals(4096, sizes.getInt());
            assertEquals(32 << 20, sizes.getInt());
            assertArrayEquals(only.getFirst().payload(), all.get(3).payload());
            List<Reply> again = client.option(GO, RawClient.info("one", 1, 2, 3, 999, 3)).replies();
            for (int i = 0; i < 5; i++) {
                assertArrayEquals(all.get(i).payload(), again.get(i).payload());
            }
            client.send(RawClient.request(0, 0, 1, 0, 1));
            assertEquals(0, client.simple(1));
        }
    }

    @Test
    void dontFragmentIsOfferedOnlyWithChunks() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            byte[] before = client.option(INFO, RawClient.info("one")).replies().getFirst().payload();
            assertEquals(ACK, client.ask(STRUCTURED));
            byte[] after = client.option(INFO, RawClient.info("one")).replies().getFirst().payload();
            assertEquals(0, before[11] & 128);
            assertEquals(128, after[11] & 128);
        }
    }

    @Test
    void malformedInfoIsInvalidAndLeavesTheHandshakeInStep() throws IOException {
        byte[] good = RawClient.info("one", 3);
        try (RawClient client = RawClient.greeted(port)) {
            for (int option : new int[] {INFO, GO}) {
                for (int length = 0; length < good.length; length++) {
                    assertEquals(INVALID, client.ask(option, Arrays.copyOf(good, length)), "cut to " + length);
                }
                assertEquals(INVALID, client.ask(option, Arrays.copyOf(good, good.length + 1)), "trailing junk");
                for (int length : new int[] {4097, 65_536, Integer.MAX_VALUE, -1, -9}) {
                    byte[] lying = good.clone();
                    ByteBuffer.wrap(lying).putInt(length);
                    assertEquals(INVALID, client.ask(option, lying), "name length " + length);
                }
                assertEquals(INVALID, client.ask(option, RawClient.info("o\0e")));
                assertEquals(UNKNOWN, client.ask(option, RawClient.info("x".repeat(4096))));
                assertEquals(INVALID, client.ask(option, RawClient.info("x".repeat(4097))));
                assertEquals(UNKNOWN, client.ask(option, RawClient.info("")), "no default among two");
                byte[] notUtf8 = RawClient.info("one");
                notUtf8[5] = (byte) 0xff;
                assertEquals(INVALID, client.ask(option, notUtf8));
            }
        }
    }

    @Test
    void errorTextNeverEchoesMuchOfTheClient() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            Reply reply = client.option(GO, RawClient.info("\n\u001b".repeat(2000))).reply();
            assertTrue(reply.payload().length < 300, reply.text());
            assertTrue(!reply.text().contains("\u001b"), reply.text());
        }
    }

    @Test
    void failedGoMayBeRetried() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(UNKNOWN, client.ask(GO, RawClient.info("none")));
            assertEquals(ACK, client.ask(GO, RawClient.info("two")));
            client.send(RawClient.request(0, 0, 1, 0, 4096));
            assertEquals(0, client.simple(1));
        }
    }

    @Test
    void structuredRepliesAndExtendedHeadersAreAgreedOnce() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(INVALID, client.ask(STRUCTURED, (byte) 1));
            assertEquals(ACK, client.ask(STRUCTURED));
            assertEquals(INVALID, client.ask(STRUCTURED));
            assertEquals(INVALID, client.ask(EXTENDED, (byte) 1));
            assertEquals(ACK, client.ask(EXTENDED));
            assertEquals(INVALID, client.ask(EXTENDED));
            assertEquals(EXT_HEADER_REQD, client.ask(STRUCTURED));
        }
    }

    @Test
    void metaContextsAreListedByQuery() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(List.of("base:allocation", "x-test:a/1", "x-test:a/2"), contexts(client, LIST_META, "one"));
            assertEquals(List.of("base:allocation"), contexts(client, LIST_META, "one", "base:"));
            assertEquals(List.of("x-test:a/1", "x-test:a/2"), contexts(client, LIST_META, "one", "x-test:"));
            assertEquals(List.of("x-test:a/1", "x-test:a/2"), contexts(client, LIST_META, "one", "x-test:a/"));
            assertEquals(List.of("x-test:a/2", "base:allocation"), contexts(client, LIST_META, "one", "x-test:a/2", "base:allocation", "x-test:a/2"));
            assertEquals(List.of(), contexts(client, LIST_META, "one", "base:none", "other:", "x", ""));
            assertEquals(UNKNOWN, client.ask(LIST_META, RawClient.meta("none")));
        }
    }

    @Test
    void contextsThatCannotBeListedHarmWhoAsksForThemAlone() throws IOException {
        Contexts lost = new Contexts() {
            @Override
            public Collection<String> names() throws IOException {
                throw new IOException("the store is away");
            }

            @Override
            public StatusSource source(String name) {
                throw new AssertionError("it was never offered");
            }
        };
        server.close();
        server = NbdServer.start(
                ServerSettings.on(new NbdUri.Tcp("127.0.0.1", 0)),
                MapExports.of("lost", new Export(new MemoryDevice(4096), "", lost, BlockSizes.DEFAULT)));
        port = ((NbdUri.Tcp) server.addresses().getFirst()).port();
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(UNKNOWN, client.ask(LIST_META, RawClient.meta("lost")));
            assertEquals(UNKNOWN, client.ask(LIST_META, RawClient.meta("lost", "x-test:a/1")));
            assertEquals(List.of("base:allocation"), contexts(client, LIST_META, "lost", "base:allocation"));
            assertEquals(ACK, client.ask(STRUCTURED));
            assertEquals(List.of("base:allocation"), contexts(client, SET_META, "lost", "base:allocation"));
        }
    }

    @Test
    void metaContextsAreSetAfterStructuredReplies() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(INVALID, client.ask(SET_META, RawClient.meta("one", "base:allocation")));
            assertEquals(ACK, client.ask(STRUCTURED));
            assertEquals(List.of(), contexts(client, SET_META, "one"));
            assertEquals(List.of(), contexts(client, SET_META, "one", "base:"));
            assertEquals(List.of("base:allocation"), contexts(client, SET_META, "one", "base:allocation", "base:allocation"));
            List<Reply> two = client.option(SET_META, RawClient.meta("one", "x-test:a/2", "base:allocation")).replies();
            assertEquals(3, two.size());
            assertTrue(ByteBuffer.wrap(two.get(0).payload()).getInt() != ByteBuffer.wrap(two.get(1).payload()).getInt(), "ids differ");
        }
    }

    @Test
    void truncatedMetaQueriesAreInvalid() throws IOException {
        byte[] good = RawClient.meta("one", "base:allocation", "x-test:a/1");
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(STRUCTURED));
            for (int length = 0; length < good.length; length++) {
                int option = length % 2 == 0 ? LIST_META : SET_META;
                assertEquals(INVALID, client.ask(option, Arrays.copyOf(good, length)), "cut to " + length);
            }
            assertEquals(INVALID, client.ask(SET_META, Arrays.copyOf(good, good.length + 1)), "trailing junk");
            byte[] many = good.clone();
            ByteBuffer.wrap(many).putInt(7, -1);
            assertEquals(INVALID, client.ask(SET_META, many));
        }
    }

    @Test
    void anythingOtherThanTheSelectedExportHasNoContexts() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(STRUCTURED));
            assertEquals(ACK, client.ask(SET_META, RawClient.meta("one", "base:allocation")));
            assertEquals(ACK, client.ask(GO, RawClient.info("two")));
            client.send(RawClient.request(0, 7, 1, 0, 512));
            assertEquals(22, client.chunk(false).error());
        }
    }

    @Test
    void aFailedSelectionForgetsTheOneBefore() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(STRUCTURED));
            assertEquals(ACK, client.ask(SET_META, RawClient.meta("one", "base:allocation")));
            assertEquals(INVALID, client.ask(SET_META, (byte) 1));
            assertEquals(ACK, client.ask(GO, RawClient.info("one")));
            client.send(RawClient.request(0, 7, 1, 0, 512));
            assertEquals(22, client.chunk(false).error());
        }
    }

    @Test
    void contextsOfNoExportOrTooManyAreRefused() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(STRUCTURED));
            assertEquals(UNKNOWN, client.ask(SET_META, RawClient.meta("none", "base:allocation")));
            String[] all = IntStream.range(0, 33).mapToObj(i -> "x-test:b/" + i).toArray(String[]::new);
            assertEquals(TOO_BIG, client.ask(SET_META, RawClient.meta("two", all)));
            assertEquals(32, contexts(client, SET_META, "two", Arrays.copyOf(all, 32)).size());
            assertEquals(34, contexts(client, LIST_META, "two").size());
        }
    }

    /** With extended headers an export is entered by GO; whoever does otherwise has lost the thread. */
    @Test
    void exportNameAfterExtendedHeadersEndsTheConnection() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(EXTENDED));
            client.option(EXPORT_NAME, "one".getBytes(StandardCharsets.UTF_8)).assertClosed();
        }
    }

    @Test
    void tooManyOptionsEndTheConnection() throws IOException {
        try (RawClient client = RawClient.greeted(port)) {
            for (int i = 0; i < 64; i++) {
                assertEquals(UNSUP, client.ask(99));
            }
            client.option(99).assertClosed();
        }
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(LIST));
            for (int i = 0; i < 64 + 16 - 1; i++) {
                assertEquals(ACK, client.ask(INFO, RawClient.info("one")), "eight more for each of two exports");
            }
            client.option(99).assertClosed();
        }
    }

    @Test
    void aHandshakeThatTakesTooLongEndsAndATransmissionDoesNot() throws IOException {
        server.close();
        start(Limits.DEFAULT.withNegotiationTime(Duration.ofSeconds(3)));
        try (RawClient done = RawClient.greeted(port)) {
            assertEquals(ACK, done.ask(GO, RawClient.info("one")));
            try (RawClient silent = RawClient.connect(port);
                    RawClient half = RawClient.greeted(port)) {
                half.send(new byte[] {'I', 'H'});
                assertEquals(18, silent.rest().length);
                half.assertClosed();
            }
            done.send(RawClient.request(0, 0, 1, 0, 1));
            assertEquals(0, done.simple(1), "it has outlived the time of its handshake");
        }
    }

    @Test
    void optionsSplitAtEveryByteAndAllAtOnceMeanTheSame() throws IOException {
        byte[] talk = RawClient.join(
                RawClient.optionBytes(STRUCTURED, new byte[0]),
                RawClient.optionBytes(SET_META, RawClient.meta("one", "base:allocation")),
                RawClient.optionBytes(GO, RawClient.info("one", 3)),
                RawClient.request(0, 0, 5, 0, 100),
                RawClient.request(0, 2, 6, 0, 0));
        byte[] whole;
        try (RawClient client = RawClient.greeted(port)) {
            whole = client.send(talk).rest();
        }
        assertEquals(20 + (20 + 19) + 20 + (20 + 14) + (20 + 12) + 20 + 28 + 100, whole.length);
        for (int split = 1; split < talk.length; split++) {
            try (RawClient client = RawClient.greeted(port)) {
                client.send(Arrays.copyOf(talk, split)).send(Arrays.copyOfRange(talk, split, talk.length));
                assertArrayEquals(whole, client.rest(), "split at " + split);
            }
        }
        try (RawClient client = RawClient.connect(port)) {
            client.read(18);
            for (byte one : new byte[] {0, 0, 0, 3}) {
                client.send(new byte[] {one});
            }
            for (byte one : talk) {
                client.send(new byte[] {one});
            }
            assertArrayEquals(whole, client.rest(), "byte by byte");
        }
    }

    @Test
    void aStoppingServerRefusesEverythingButAbort() throws Exception {
        try (RawClient client = RawClient.greeted(port)) {
            assertEquals(ACK, client.ask(LIST));
            Thread stopping = Thread.ofVirtual().start(() -> {
                try {
                    server.stop(Duration.ofSeconds(20));
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            int answer = ACK;
            while (answer == ACK) {
                answer = client.ask(LIST);
            }
            assertEquals(SHUTDOWN, answer);
            assertEquals(SHUTDOWN, client.ask(GO, RawClient.info("one")));
            assertEquals(ACK, client.ask(ABORT));
            client.assertClosed();
            stopping.join();
        }
    }

    private static List<String> contexts(RawClient client, int option, String export, String... queries) throws IOException {
        List<Reply> replies = client.option(option, RawClient.meta(export, queries)).replies();
        assertEquals(ACK, replies.getLast().type());
        for (Reply reply : replies.subList(0, replies.size() - 1)) {
            assertEquals(option == LIST_META, ByteBuffer.wrap(reply.payload()).getInt() == 0, "id");
        }
        return replies.subList(0, replies.size() - 1).stream().map(reply -> reply.text().substring(4)).toList();
    }
}
