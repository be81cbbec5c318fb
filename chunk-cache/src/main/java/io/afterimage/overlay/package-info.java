/**
 * Durable copy-on-write over any {@link io.afterimage.block.BlockDevice}: {@link io.afterimage.overlay.OverlayDevice}. What is written lies in a
 * folder of its own ({@code docs/formats/overlay.md}), and what a FLUSH has confirmed survives the process and the power. Nothing here knows
 * what the base is, of points, or of NBD.
 */
package io.afterimage.overlay;
