package io.afterimage.files;

/**
 * Something that could not be read, or not be written.
 *
 * @param path where it is in the guest
 * @param reason why, without a full stop
 */
public record FileProblem(FilePath path, String reason) {}
