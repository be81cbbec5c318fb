/**
 * A pack: an immutable object with the frames of many chunks, laid in disk order, and an index of them at its end. Readers
 * of a disk never need the index, since a map tells them where frames lie; it is there to rebuild the dedupe index and to
 * verify. The byte layout is in {@code docs/formats/pack.md}.
 */
package io.afterimage.pack;
