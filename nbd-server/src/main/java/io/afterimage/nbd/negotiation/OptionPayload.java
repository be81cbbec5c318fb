package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.NbdString;
import java.nio.ByteBuffer;

/** Reads the parts of an option's payload, checking each length against what is left before a byte is allocated. */
final class OptionPayload {

    /** The payload does not have the form that its option demands. */
    static final class Malformed extends Exception {
        private static final long serialVersionUID = 1;

        Malformed(String message) {
            super(message, null, false, false);
        }
    }

    private final ByteBuffer bytes;

    OptionPayload(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /** A 32-bit length and as many bytes of text. */
    String string(String what) throws Malformed {
        long length = Integer.toUnsignedLong(number32(what));
        if (length > NbdString.LONGEST) {
            throw new Malformed("the " + what + " is longer than " + NbdString.LONGEST + " bytes");
        }
        if (length > bytes.remaining()) {
            throw new Malformed("the " + what + " is longer than the option");
        }
        byte[] text = new byte[(int) length];
        bytes.get(text);
        return NbdString.decode(text).orElseThrow(() -> new Malformed("the " + what + " is not UTF-8 text without NUL"));
    }

    int number16(String what) throws Malformed {
        need(2, what);
        return Short.toUnsignedInt(bytes.getShort());
    }

    /** Unsigned 32 bits. */
    int number32(String what) throws Malformed {
        need(4, what);
        return bytes.getInt();
    }

    void end() throws Malformed {
        if (bytes.hasRemaining()) {
            throw new Malformed("the option has " + bytes.remaining() + " bytes too many");
        }
    }

    private void need(int count, String what) throws Malformed {
        if (bytes.remaining() < count) {
            throw new Malformed("the option ends before the " + what);
        }
    }
}
