package io.afterimage.nbd.protocol;

/** The numbers that open the greeting and every message. */
public final class Magic {

    /** {@code NBDMAGIC}: first eight bytes of a server's greeting. */
    public static final long GREETING = 0x4e42444d41474943L;
    /** {@code IHAVEOPT}: second eight bytes of a newstyle greeting, and the start of every option. */
    public static final long OPTION = 0x49484156454f5054L;
    public static final long OPTION_REPLY = 0x0003e889045565a9L;
    public static final int REQUEST = 0x25609513;
    public static final int EXTENDED_REQUEST = 0x21e41c71;
    public static final int SIMPLE_REPLY = 0x67446698;
    public static final int STRUCTURED_REPLY = 0x668e33ef;
    public static final int EXTENDED_REPLY = 0x6e8a278c;

    private Magic() {}
}
