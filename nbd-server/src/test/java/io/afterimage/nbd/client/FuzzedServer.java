package io.afterimage.nbd.client;

import io.afterimage.nbd.protocol.Magic;
import io.afterimage.nbd.protocol.ReplyForm;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * A server of one export that keeps all the liberties which the protocol leaves it (which options it knows, how it cuts a reply into
 * chunks and in which order it sends them) and, unless it is told to stay lawful, breaks its rules here and there.
 */
final class FuzzedServer {

    static final int SIZE = 100_000;

    private static final int MOST_WORDS_BEFORE_A_FAULT = 40;

    private final Random random;
    /** How many messages are still sent as they should be. */
    private int lawful;

    private ReplyForm form = ReplyForm.SIMPLE;
    private DataOutputStream out;

    FuzzedServer(Random random, boolean alwaysLawful) {
        this.random = random;
        lawful = alwaysLawful ? Integer.MAX_VALUE : random.nextInt(MOST_WORDS_BEFORE_A_FAULT);
    }

    /** What is stored at that place: data, and zeros in every third kilobyte. */
    static byte byteAt(int position) {
        return position / 1024 % 3 == 0 ? 0 : (byte) (1 + position % 200);
    }

    void play(DataInputStream in, DataOutputStream output) throws IOException {
        out = output;
        say(message(bytes -> {
            bytes.writeLong(Magic.GREETING);
            bytes.writeLong(Magic.OPTION);
            bytes.writeShort(3);
        }));
        in.readInt();
        try {
            while (option(in)) {}
            while (true) {
                request(in);
            }
        } catch (EOFException _) {
            // The client has left.
        }
    }

    /** Answers one option; false after the last. */
    private boolean option(DataInputStream in) throws IOException {
        in.readLong();
        int option = in.readInt();
        in.readNBytes(in.readInt());
        switch (option) {
            case 8, 11 -> {
                boolean known = random.nextInt(5) > 0;
                if (known) {
                    form = option == 8 ? ReplyForm.STRUCTURED : ReplyForm.EXTENDED;
                }
                reply(option, known ? 1 : 0x80000001);
            }
            case 10 -> {
                reply(option, 4, "\0\0\0\7base:allocation".getBytes(StandardCharsets.US_ASCII));
                reply(option, 1);
            }
            case 7 -> {
                reply(option, 3, ByteBuffer.allocate(12).putLong(2, SIZE).putShort(10, (short) 1).array());
                if (random.nextBoolean()) {
                    reply(option, 3, ByteBuffer.allocate(14).putShort((short) 3).putInt(1).putInt(512).putInt(1 << 20).array());
                }
                reply(option, 1);
                return false;
            }
            default -> reply(option, 0x80000001);
        }
        return true;
    }

    private void request(DataInputStream in) throws IOException {
        in.readInt();
        in.readShort();
        int type = in.readShort();
        long cookie = in.readLong();
        long offset = in.readLong();
        long length = form == ReplyForm.EXTENDED ? in.readLong() : Integer.toUnsignedLong(in.readInt());
        if (offset < 0 || length < 0 || offset + length > SIZE) {
            // It was told another size.
            length = Math.min(length, 1000);
            offset = 0;
        }
        switch (type) {
            case 0 -> read(cookie, (int) offset, (int) length);
            case 2 -> throw new EOFException();
            case 7 -> status(cookie, (int) offset, (int) length);
            default -> finish(cookie, (int) offset);
        }
    }

    private void read(long cookie, int offset, int length) throws IOException {
        if (form == ReplyForm.SIMPLE) {
            say(message(bytes -> {
                bytes.writeInt(Magic.SIMPLE_REPLY);
                bytes.writeInt(0);
                bytes.writeLong(cookie);
                data(bytes, offset, length);
            }));
            return;
        }
        List<byte[]> chunks = new ArrayList<>();
        for (int at = offset; at < offset + length; ) {
            int from = at;
            int count = Math.min(offset + length - at, 1 + random.nextInt(6000));
            boolean hole = byteAt(from) == 0 && byteAt(from + count - 1) == 0 && count <= 1024;
            chunks.add(hole
                    ? chunk(2, cookie, offset, bytes -> {
                        bytes.writeLong(from);
                        bytes.writeInt(count);
                    })
                    : chunk(1, cookie, offset, bytes -> {
                        bytes.writeLong(from);
                        data(bytes, from, count);
                    }));
            at += count;
        }
        Collections.shuffle(chunks, random);
        for (byte[] chunk : chunks) {
            say(chunk);
        }
        finish(cookie, offset);
    }

    private void status(long cookie, int offset, int length) throws IOException {
        boolean wide = form == ReplyForm.EXTENDED;
        List<Integer> lengths = new ArrayList<>();
        for (int at = offset; at < offset + length; at += lengths.getLast()) {
            lengths.add(Math.min(offset + length - at, 1 + random.nextInt(30_000)));
        }
        say(chunk(wide ? 6 : 5, cookie, offset, bytes -> {
            bytes.writeInt(7);
            if (wide) {
                bytes.writeInt(lengths.size());
            }
            for (int extent : lengths) {
                long flags = extent % 2 == 0 ? 0 : 3;
                if (wide) {
                    bytes.writeLong(extent);
                    bytes.writeLong(flags);
                } else {
                    bytes.writeInt(extent);
                    bytes.writeInt((int) flags);
                }
            }
        }));
        finish(cookie, offset);
    }

    private void finish(long cookie, int offset) throws IOException {
        byte[] end = form == ReplyForm.SIMPLE
                ? message(bytes -> {
                    bytes.writeInt(Magic.SIMPLE_REPLY);
                    bytes.writeInt(0);
                    bytes.writeLong(cookie);
                })
                : chunk(0, cookie, offset, bytes -> {});
        if (form != ReplyForm.SIMPLE) {
            end[5] |= 1;
        }
        say(end);
    }

    private byte[] chunk(int type, long cookie, int offset, Words words) {
        byte[] payload = message(words);
        return message(bytes -> {
            bytes.writeInt(form == ReplyForm.EXTENDED ? Magic.EXTENDED_REPLY : Magic.STRUCTURED_REPLY);
            bytes.writeShort(0);
            bytes.writeShort(type);
            bytes.writeLong(cookie);
            if (form == ReplyForm.EXTENDED) {
                bytes.writeLong(offset);
                bytes.writeLong(payload.length);
            } else {
                bytes.writeInt(payload.length);
            }
            bytes.write(payload);
        });
    }

    private static void data(DataOutputStream bytes, int from, int count) throws IOException {
        for (int i = from; i < from + count; i++) {
            bytes.writeByte(byteAt(i));
        }
    }

    private void reply(int option, int type, byte... payload) throws IOException {
        say(message(bytes -> ScriptedServer.reply(bytes, option, type, payload)));
    }

    /** Sends a message, or something like it. */
    private void say(byte[] message) throws IOException {
        if (--lawful >= 0) {
            out.write(message);
            return;
        }
        lawful = random.nextInt(MOST_WORDS_BEFORE_A_FAULT);
        byte[] changed = message.clone();
        // Headers are where the rules are.
        int at = random.nextInt(random.nextBoolean() ? Math.min(32, message.length) : message.length);
        switch (random.nextInt(7)) {
            case 0 -> changed[at] ^= (byte) (1 << random.nextInt(8));
            case 1 -> changed[at] = (byte) (random.nextBoolean() ? 0xff : 0);
            case 2 -> ByteBuffer.wrap(changed).put(at, new byte[Math.min(4, message.length - at)]);
            case 3 -> changed = new byte[0];
            case 4 -> out.write(message);
            case 5 -> {
                out.write(message, 0, at);
                throw new EOFException("cut off");
            }
            default -> {
                changed = new byte[random.nextInt(64)];
                random.nextBytes(changed);
            }
        }
        // What stands for a byte that was never sent must not be sent by chance.
        for (int i = 0; i < changed.length; i++) {
            changed[i] = changed[i] == (byte) 0xee ? 0 : changed[i];
        }
        out.write(changed);
    }

    private interface Words {
        void to(DataOutputStream bytes) throws IOException;
    }

    private static byte[] message(Words words) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            words.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
