package io.afterimage.keys;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.afterimage.store.ObjectKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/**
 * What another program has made from {@code docs/formats/encryption.md}, with other implementations of everything (Python's hmac, OpenSSL's
 * AES-GCM and Argon2id): it must open here for ever.
 */
class KeyFormatTest {

    private static final HexFormat HEX = HexFormat.of();
    private static final String ID = "000102030405060708090a0b0c0d0e0f";
    private static final String HEADER = "afterimage repository\nformat 1\nid " + ID
            + "\nchunkSize 65536\nhash hmac-sha-256\nencryption aes-256-gcm\n";
    private static final String SALT = "101112131415161718191a1b1c1d1e1f";
    private static final String NONCE = "000102030405060708090a0b";

    private static final KeySlot KEY_FILE = new KeySlot(
            "0a0b0c0d",
            "key-file",
            new KeyDerivation("hkdf-sha-256", SALT, null, null, null),
            NONCE,
            "d5cfc8bc43e45cf581304d8c827a6fae412906c0820598df14c07d5c46880c10cbb6f317789e9b060221b1d5d29a92cd");
    private static final KeySlot PASSPHRASE = new KeySlot(
            "01020304",
            "passphrase",
            new KeyDerivation("argon2id", SALT, 65536, 3, 4),
            NONCE,
            "4694003c3bd47d1888ee331e69fc4af6d1725f04eacfe86899a4c7e7e6abe7649fb499903c97a7b0bba4eb5af3745e65");

    private static MasterKey master() {
        return KEY_FILE.open(keyFile(), HEADER, ID).orElseThrow();
    }

    private static Secret keyFile() {
        return Secret.keyFile("# a comment\n\n" + HEX.formatHex(ascending(32)) + "\n");
    }

    private static byte[] ascending(int from) {
        byte[] bytes = new byte[32];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (from + i);
        }
        return bytes;
    }

    @Test
    void aKeyFileAndAPassphraseOpenTheSameKey() {
        assertArrayEquals(ascending(100), master().bytes());
        Secret passphrase = Secret.passphrase("gru\u0308n und blau");
        assertArrayEquals(ascending(100), PASSPHRASE.open(passphrase, HEADER, ID).orElseThrow().bytes());
        assertTrue(PASSPHRASE.open(keyFile(), HEADER, ID).isEmpty());
        assertTrue(KEY_FILE.open(keyFile(), HEADER.replace("65536", "4096"), ID).isEmpty());
    }

    @Test
    void derivedKeysAreThoseOfThePage() throws Exception {
        assertEquals(
                "6c375fd49d0ffa584038f5b818bbf3c478a279d699861ced8dda3fe72670ad0d",
                HEX.formatHex(master().hash("chunk id").of(ByteBuffer.wrap("abc".getBytes(StandardCharsets.US_ASCII)))));
        byte[] sealed = HEX.parseHex(
                "41495345414c3031000102030405060708090a0b6362ebf696eeb3ae52419f54d93c63e63e009f7055916e");
        ObjectKey place = ObjectKey.of("points", "web", "x.json");
        assertEquals("content", new String(ObjectSeal.of(master()).open(place, sealed), StandardCharsets.US_ASCII));
    }

    @Test
    void whatIsNoKeyFileIsRefused() {
        SecureRandom random = new SecureRandom();
        String text = Secret.newKeyFile(random);
        Secret.keyFile(text);
        Secret.keyFile(text.replace("\n", "\r\n"));
        for (String wrong : new String[] {"", "# only words", text + text, text.replaceFirst("[0-9a-f]\n", "\n"), "secret"}) {
            assertThrows(IllegalArgumentException.class, () -> Secret.keyFile(wrong), wrong);
        }
    }

    @Test
    void aSecretNeverShowsItself() {
        assertEquals("passphrase", Secret.passphrase("hidden").toString());
        assertEquals("key-file", keyFile().toString());
    }

    @Test
    void anUnreasonableDerivationIsRefusedBeforeItCosts() {
        assertThrows(IllegalArgumentException.class, () -> new KeyDerivation("argon2id", SALT, 1 << 30, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new KeyDerivation("argon2id", SALT, 65536, 1_000_000, 1));
        assertThrows(IllegalArgumentException.class, () -> new KeyDerivation("argon2id", SALT, 65536, 1, 1000));
        assertThrows(IllegalArgumentException.class, () -> new KeyDerivation("argon2id", SALT, 8, 1, 4));
        assertThrows(NullPointerException.class, () -> new KeyDerivation("argon2id", SALT, null, null, null));
    }
}
