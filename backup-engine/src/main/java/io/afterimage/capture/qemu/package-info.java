/**
 * Running QEMU machines, spoken to by QMP: what disks they have, and the cut that makes them readable at one instant.
 *
 * <p>Entry types, in the order of a backup: {@link io.afterimage.capture.qemu.QmpClient} connects to a monitor,
 * {@link io.afterimage.capture.qemu.Strays} clears what a killed backup left behind,
 * {@link io.afterimage.capture.qemu.QemuMachine} tells the disks and the machine's definition,
 * {@link io.afterimage.capture.qemu.Cut} freezes the disks' contents, and the guest for a moment if it is asked to, and gives an NBD URI for
 * each: where QEMU serves the disk, or where it will send it.
 *
 * <p>Nothing here reads a disk's bytes, or knows of chunks, packs and object stores: the package ends at NBD URIs.
 *
 * <h2>What a cut leaves inside QEMU, and who takes it away</h2>
 *
 * <table>
 * <caption>traces of a cut, in the order in which they are made</caption>
 * <tr><th>trace</th><th>named by</th><th>harms the guest?</th><th>gone after our death by</th></tr>
 * <tr><td>scratch folder, lock, files</td><td>point id</td><td>no (space)</td><td>watchdog, else the next backup</td></tr>
 * <tr><td>scratch nodes</td><td>12 digits of it</td><td>no</td><td>watchdog, else the next backup</td></tr>
 * <tr><td>NBD server</td><td>socket in that folder</td><td>no (there is only one)</td><td>watchdog, else the next backup</td></tr>
 * <tr><td>backup job and its filter</td><td>12 digits</td><td>yes: when the scratch is full</td><td>watchdog, else the next backup</td></tr>
 * <tr><td>frozen file systems</td><td>agent's socket, noted in that folder</td><td>yes: nothing can be written</td><td>watchdog, which
 * thaws in time even while we live; else the next backup</td></tr>
 * <tr><td>NBD exports, or pushing jobs and their nodes</td><td>12 digits</td><td>no</td><td>watchdog, else the next backup</td></tr>
 * <tr><td>new dirty bitmap</td><td>repository and point id</td><td>no (memory)</td><td>the next backup, when the
 * repository does not list the point</td></tr>
 * </table>
 *
 * <p>They are taken away in the reverse order. The bitmap of the previous point is only ever read, so whatever happens
 * to a backup, no change is forgotten.
 */
package io.afterimage.capture.qemu;
