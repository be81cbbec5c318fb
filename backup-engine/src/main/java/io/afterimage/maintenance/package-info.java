/**
 * What keeps a repository in order, beside backups and reads and without disturbing them. {@link io.afterimage.maintenance.Verification} reads
 * again what points need and records what is damaged; the next backup heals it ({@code docs/operations.md}). Reads through no cache: what
 * is verified is the store.
 */
package io.afterimage.maintenance;
