/**
 * The guest agent of a machine ({@code qemu-ga}), as far as a backup needs it: file systems are frozen, and thawed. Entry type:
 * {@link io.afterimage.capture.agent.GuestAgent}. Knows a socket, and nothing of QMP, cuts and points.
 */
package io.afterimage.capture.agent;
