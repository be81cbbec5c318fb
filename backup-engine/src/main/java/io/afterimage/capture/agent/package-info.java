/**
 * The guest agent of a machine ({@code qemu-ga}), as far as a backup needs it: file systems are frozen, and thawed, and it tells of the system. Entry types:
 * {@link io.afterimage.capture.agent.Freezer} and its first kind, {@link io.afterimage.capture.agent.GuestAgent}, and
 * {@link io.afterimage.capture.agent.GuestFacts}. Knows a socket, and nothing of QMP, cuts and points.
 */
package io.afterimage.capture.agent;
