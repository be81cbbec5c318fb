package io.afterimage.nbd.negotiation;

import io.afterimage.nbd.protocol.ExportInfo;
import io.afterimage.nbd.protocol.Option;
import io.afterimage.nbd.protocol.OptionReply;
import java.io.IOException;

/** The client's end of a connection during the handshake. Every call blocks until done, or fails when the time is up. */
public interface HandshakeWire {

    /** Waits for the greeting; the server's handshake flags. */
    int greeting() throws IOException;

    void clientFlags(int flags) throws IOException;

    void send(Option option, byte[] payload) throws IOException;

    OptionReply receive() throws IOException;

    /** Waits for the bare answer to EXPORT_NAME. */
    ExportInfo exportNameReply(boolean padded) throws IOException;

    /** The server has agreed to TLS: it begins now, and what follows goes through it. */
    void startTls() throws IOException;
}
