package io.afterimage.fetch;

/** Why a chunk is fetched; the first goes before all others. */
enum Priority {
    /** Somebody waits for it. */
    DEMAND,
    /** A stream of reads will probably come by. */
    READ_AHEAD,
    /** Somebody has said that it will be read: a boot profile, a client's hint. */
    HINT
}
