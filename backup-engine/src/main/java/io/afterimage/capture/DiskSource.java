package io.afterimage.capture;

import io.afterimage.manifest.DiskName;
import java.util.Optional;

/** Where a disk comes from, as it stood at the instant of the point: it is read, or somebody sends it. */
public sealed interface DiskSource permits SourceDisk, PushedDisk {

    /** The disk's name in the repository. */
    DiskName name();

    /** In bytes. */
    long size();

    /** Bytes that may differ from the disk in the parent point; empty when that is not known, and all of it comes. */
    Optional<Long> dirty();

    /** Why all of it comes though the machine has a parent point; one clause. */
    Optional<String> reason();
}
