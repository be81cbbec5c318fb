/**
 * One chunk of a disk: its size, its identity (a hash of its bytes), and the frame in which it lies in a pack. A frame says
 * what it holds and where it belongs, so that a reader who knows only the address verifies a chunk with one request:
 * {@link io.afterimage.chunk.FrameCodec}. What proves a chunk, and hides it where a repository is encrypted, is
 * its {@link io.afterimage.chunk.PackSeal}. The byte layout is in {@code docs/formats/chunk-frame.md} and {@code encryption.md}. Knows no store.
 */
package io.afterimage.chunk;
