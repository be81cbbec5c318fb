package io.afterimage.nbd.negotiation;

/** How a server holds it with TLS ("TLS support"). */
public enum TlsMode {
    /** NOTLS: STARTTLS is refused. */
    OFF,
    /** SELECTIVETLS: a client may go on in the clear, and sees what an unknown client may see. */
    OPTIONAL,
    /** FORCEDTLS: nothing but STARTTLS and ABORT is answered in the clear. */
    REQUIRED
}
