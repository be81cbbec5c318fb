/**
 * Real machines for tests and measurements: {@link io.afterimage.lab.Guest} is a running QEMU process with disks, QMP
 * and a shell inside the machine, {@link io.afterimage.lab.Tool} any other program of the host. The lab is a peer of
 * Afterimage: it must not know a single class of it, so that nothing is ever checked against itself.
 */
package io.afterimage.lab;
