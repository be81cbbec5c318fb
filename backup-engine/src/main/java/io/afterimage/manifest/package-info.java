/**
 * The complete map of the disks of one restore point: which chunk lies where. {@link io.afterimage.manifest.BlockMap} is the
 * immutable form in memory that reads go by; {@link io.afterimage.manifest.ManifestFile} is the SQLite file that is stored.
 * A manifest never refers to another one. The schema is in {@code docs/formats/manifest.md}.
 */
package io.afterimage.manifest;
