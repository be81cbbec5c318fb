package io.afterimage.keys;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.concurrent.ConcurrentLinkedDeque;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/** HMAC-SHA-256 under one key. Thread-safe. */
public final class KeyedHash {

    /** Bytes of a hash. */
    public static final int LENGTH = 32;

    private final SecretKey key;
    private final ConcurrentLinkedDeque<Mac> idle = new ConcurrentLinkedDeque<>();

    KeyedHash(SecretKey key) {
        this.key = key;
    }

    /** The hash of what {@code bytes} holds up to its limit; its position moves there. */
    public byte[] of(ByteBuffer bytes) {
        Mac mac = idle.poll();
        if (mac == null) {
            mac = newMac();
        }
        mac.update(bytes);
        byte[] hash = mac.doFinal();
        idle.push(mac);
        return hash;
    }

    private Mac newMac() {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return mac;
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every Java platform has HMAC-SHA-256", e);
        }
    }
}
