/**
 * Running machines that libvirt looks after, backed up by libvirt's own means: its C library, found at run time, begins and ends the
 * job and keeps the checkpoints, so that libvirt stays the owner of its machines. Nobody speaks to their QEMU behind its back.
 *
 * <p>Entry types, in the order of a backup: {@link io.afterimage.capture.libvirt.LibvirtConnection} gives a
 * {@link io.afterimage.capture.libvirt.LibvirtDomain}, {@link io.afterimage.capture.libvirt.LibvirtStrays} clears what a killed backup
 * left behind, {@link io.afterimage.capture.libvirt.LibvirtMachine} tells the disks,
 * {@link io.afterimage.capture.libvirt.LibvirtDefinition} what the machine is beside them, and
 * {@link io.afterimage.capture.libvirt.LibvirtCut} freezes the disks' contents and gives an NBD URI for each.
 *
 * <p>The package ends at NBD URIs, as {@link io.afterimage.capture.qemu} does, whose names of checkpoints, scratch folders and
 * watchdog it shares. libvirt's checkpoints are dirty bitmaps in QEMU as that package's are, under names of
 * their own: each of the two looks after its own and leaves the other's alone.
 *
 * <h2>What a cut leaves in libvirt, and who takes it away</h2>
 *
 * <table>
 * <caption>traces of a cut, in the order in which they are made</caption>
 * <tr><th>trace</th><th>known by</th><th>harms the guest?</th><th>gone after our death by</th></tr>
 * <tr><td>scratch folder, lock, scratch images</td><td>point id, the domain's UUID in the lock</td><td>no (space)</td><td>watchdog, else the next
 * backup</td></tr>
 * <tr><td>backup job, NBD server</td><td>that folder in the job's XML</td><td>yes: when the scratch is full</td>
 * <td>watchdog, else the next backup</td></tr>
 * <tr><td>frozen file systems</td><td>noted in that folder</td><td>yes: nothing can be written</td><td>watchdog, which thaws in time
 * even while we live; else the next backup</td></tr>
 * <tr><td>new checkpoint</td><td>repository and point id</td><td>no (memory)</td><td>watchdog, else the next backup, when the
 * repository does not list the point</td></tr>
 * </table>
 *
 * <p>A backup job whose scratch is in no folder of that form is another program's, and is left to it.
 */
package io.afterimage.capture.libvirt;
