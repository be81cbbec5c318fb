package io.afterimage.nbd.protocol;

/**
 * A metadata context that a connection has selected.
 *
 * @param id the server's number for it on this connection
 * @param name {@code namespace:leaf}
 */
public record MetaContext(int id, String name) {

    /** Where there are holes and zeros; every server that knows any context knows this one. */
    public static final String BASE_ALLOCATION = "base:allocation";
    /** {@value #BASE_ALLOCATION}: no space is taken. */
    public static final long STATE_HOLE = 1;
    /** {@value #BASE_ALLOCATION}: reads as zeros. */
    public static final long STATE_ZERO = 2;
}
