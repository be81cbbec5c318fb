package io.afterimage.guestfs;

import java.nio.file.Path;

/**
 * A disk for the appliance, from an NBD server.
 *
 * @param name what the user calls it
 * @param socket where the server listens
 * @param export the disk's name there
 */
public record AttachedDisk(String name, Path socket, String export) {}
