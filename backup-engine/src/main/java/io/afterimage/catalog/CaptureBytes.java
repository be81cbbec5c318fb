package io.afterimage.catalog;

/**
 * What a capture cost, in bytes.
 *
 * @param dirty the source said to have changed, or the size of what had to be read whole
 * @param read read from the source; less than dirty by what the source knew to be zeros
 * @param deduplicated of the chunks read, those that the repository held already
 * @param stored of packs, as uploaded
 * @param manifest of the manifest, as uploaded
 */
public record CaptureBytes(long dirty, long read, long deduplicated, long stored, long manifest) {

    public static final CaptureBytes NONE = new CaptureBytes(0, 0, 0, 0, 0);

    public CaptureBytes plus(CaptureBytes other) {
        return new CaptureBytes(
                dirty + other.dirty,
                read + other.read,
                deduplicated + other.deduplicated,
                stored + other.stored,
                manifest + other.manifest);
    }
}
