package io.afterimage.nbd.protocol;

/**
 * What a client is told of an export before it uses it.
 *
 * @param size bytes, at least 0
 * @param flags {@link TransmissionFlags}
 * @param blockSizes the constraints in force
 */
public record ExportInfo(long size, int flags, BlockSizes blockSizes) {

    public boolean can(int flag) {
        return (flags & flag) != 0;
    }

    public ExportInfo with(int moreFlags) {
        return new ExportInfo(size, flags | moreFlags, blockSizes);
    }
}
