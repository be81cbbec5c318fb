package io.afterimage.nbd.protocol;

/**
 * An export as LIST shows it, without its being opened.
 *
 * @param name at most 4096 bytes of UTF-8
 * @param description words for people; may be empty
 */
public record ExportSummary(String name, String description) {}
