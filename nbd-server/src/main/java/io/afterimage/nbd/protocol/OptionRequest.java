package io.afterimage.nbd.protocol;

/**
 * One option as it came from a client.
 *
 * @param code the number, perhaps not one of {@link Option}
 * @param payload its bytes; not copied, not to be changed
 * @param oversize whether the payload exceeded the limit for options; it was dropped then, and {@code payload} is empty
 */
@SuppressWarnings("ArrayRecordComponent") // a frame that is handed on once; never compared
public record OptionRequest(int code, byte[] payload, boolean oversize) {}
