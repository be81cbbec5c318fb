package io.afterimage.keys;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.concurrent.ConcurrentLinkedDeque;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * AES-256-GCM under one key. Ciphers are pooled, not bound to threads, since readers may be virtual threads without number.
 * Thread-safe.
 */
public final class AesGcm {

    /** Bytes that sealing adds. */
    public static final int TAG_LENGTH = 16;

    /** Bytes of a nonce. No two messages of one key may have the same one. */
    public static final int NONCE_LENGTH = 12;

    private static final ConcurrentLinkedDeque<Cipher> IDLE = new ConcurrentLinkedDeque<>();

    private final SecretKey key;

    AesGcm(SecretKey key) {
        this.key = key;
    }

    /**
     * Appends the ciphertext and its tag to {@code target}.
     *
     * @param nonce {@link #NONCE_LENGTH} bytes, never used before with this key for another message
     * @param associated what is proven along with the message and stays in clear; read up to its limit
     * @param plain the message; read up to its limit
     */
    public void seal(byte[] nonce, ByteBuffer associated, ByteBuffer plain, ByteBuffer target) {
        try {
            run(Cipher.ENCRYPT_MODE, nonce, associated, plain, target);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("AES-GCM refuses to seal, as it does for a nonce used twice", e);
        }
    }

    /**
     * Appends the message to {@code target}, if all of it is as it was sealed.
     *
     * @param sealed ciphertext and tag; read up to its limit
     * @return false if it was not sealed by this key with that nonce and those associated bytes; {@code target} is of no meaning then
     */
    public boolean open(byte[] nonce, ByteBuffer associated, ByteBuffer sealed, ByteBuffer target) {
        if (sealed.remaining() < TAG_LENGTH) {
            return false;
        }
        try {
            run(Cipher.DECRYPT_MODE, nonce, associated, sealed, target);
            return true;
        } catch (AEADBadTagException e) {
            return false;
        } catch (GeneralSecurityException e) {
            throw new AssertionError("every Java platform has AES-GCM", e);
        }
    }

    private void run(int mode, byte[] nonce, ByteBuffer associated, ByteBuffer source, ByteBuffer target)
            throws GeneralSecurityException {
        Cipher cipher = IDLE.poll();
        if (cipher == null) {
            cipher = Cipher.getInstance("AES/GCM/NoPadding");
        }
        cipher.init(mode, key, new GCMParameterSpec(8 * TAG_LENGTH, nonce));
        cipher.updateAAD(associated);
        cipher.doFinal(source, target);
        // One that failed is not put back: what it keeps of the failure is nobody's affair.
        IDLE.push(cipher);
    }
}
