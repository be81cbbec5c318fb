package io.afterimage.keys;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.text.Normalizer;
import java.util.HexFormat;
import java.util.List;

/** What its user has to open a key slot: a passphrase, or the key of a key file. Immutable; never shows itself. */
public abstract sealed class Secret {

    private final byte[] bytes;

    private Secret(byte[] bytes) {
        this.bytes = bytes;
    }

    /** Any text that is not empty. The same letters typed on another system, composed otherwise, are the same passphrase (NFC). */
    public static Secret passphrase(String text) {
        if (text.isEmpty()) {
            throw new IllegalArgumentException("The passphrase is empty: choose one of several words.");
        }
        return new Passphrase(Normalizer.normalize(text, Normalizer.Form.NFC).getBytes(StandardCharsets.UTF_8));
    }

    /** The text of a new key file. */
    public static String newKeyFile(SecureRandom random) {
        byte[] key = new byte[MasterKey.LENGTH];
        random.nextBytes(key);
        return "# A key of an Afterimage repository. Who has it reads everything; without it, or another key, nobody does.\n"
                + HexFormat.of().formatHex(key) + "\n";
    }

    /** The key that the text of a key file holds; an {@link IllegalArgumentException} if that is no key file. */
    public static Secret keyFile(String text) {
        List<String> lines = text.lines().map(String::strip).filter(line -> !line.isEmpty() && !line.startsWith("#")).toList();
        if (lines.size() != 1 || !lines.getFirst().matches("[0-9a-f]{64}")) {
            throw new IllegalArgumentException("It is not a key file, which has one line of 64 hex digits beside lines that begin with '#'.");
        }
        return new KeyFile(HexFormat.of().parseHex(lines.getFirst()));
    }

    byte[] bytes() {
        return bytes;
    }

    /** As it stands in a slot. */
    abstract String kind();

    abstract KeyDerivation newDerivation(SecureRandom random);

    @Override
    public final String toString() {
        return kind();
    }

    private static final class Passphrase extends Secret {

        private Passphrase(byte[] bytes) {
            super(bytes);
        }

        @Override
        String kind() {
            return KeySlot.PASSPHRASE;
        }

        @Override
        KeyDerivation newDerivation(SecureRandom random) {
            return KeyDerivation.argon2id(random);
        }
    }

    private static final class KeyFile extends Secret {

        private KeyFile(byte[] bytes) {
            super(bytes);
        }

        @Override
        String kind() {
            return KeySlot.KEY_FILE;
        }

        @Override
        KeyDerivation newDerivation(SecureRandom random) {
            return KeyDerivation.hkdf(random);
        }
    }
}
