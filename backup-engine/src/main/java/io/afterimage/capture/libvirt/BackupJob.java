package io.afterimage.capture.libvirt;

import io.afterimage.capture.qemu.ScratchFolder;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** A backup job in libvirt's XML (formatbackup, formatcheckpoint): ours when it is begun, whoever's when one is found. */
final class BackupJob {

    private static final Pattern SPECIAL = Pattern.compile("[&<>'\"]");

    private BackupJob() {}

    /** What is to be exported, and in which {@linkplain ScratchImage images} libvirt may keep what the guest overwrites. */
    static String backup(LibvirtCutPlan plan, ScratchFolder folder) {
        StringBuilder xml = new StringBuilder(512);
        xml.append("<domainbackup mode='pull'><server transport='unix' socket='")
                .append(escape(folder.nbdSocket().toString()))
                .append("'/><disks>");
        IntStream.range(0, plan.disks().size()).forEach(i -> disk(xml, plan, i, folder.image(i)));
        return xml.append("</disks></domainbackup>").toString();
    }

    private static void disk(StringBuilder xml, LibvirtCutPlan plan, int number, Path image) {
        LibvirtCutPlan.Disk entry = plan.disks().get(number);
        var changes = plan.changes(entry);
        xml.append("<disk name='").append(escape(entry.disk().target())).append("' backup='yes' type='file' exportname='")
                .append(escape(entry.disk().name())).append('\'');
        if (changes.isRecorded()) {
            xml.append(" backupmode='incremental' incremental='").append(escape(changes.bitmap()))
                    .append("' exportbitmap='").append(bitmap(number)).append('\'');
        } else {
            xml.append(" backupmode='full'");
        }
        xml.append("><driver type='qcow2'/><scratch file='").append(escape(image.toString())).append("'/></disk>");
    }

    /** The checkpoint that begins with the job; empty when no disk can keep one. */
    static Optional<String> checkpoint(LibvirtCutPlan plan) {
        StringBuilder disks = new StringBuilder(256);
        for (LibvirtCutPlan.Disk entry : plan.disks()) {
            if (entry.disk().storesBitmaps()) {
                disks.append("<disk name='").append(escape(entry.disk().target())).append("' checkpoint='bitmap'/>");
            }
        }
        return disks.isEmpty()
                ? Optional.empty()
                : Optional.of("<domaincheckpoint><name>" + plan.checkpoint().name() + "</name><disks>" + disks + "</disks></domaincheckpoint>");
    }

    /** The name under which a disk's changes are exported; short, since NBD has room for it only behind a prefix. */
    static String bitmap(int disk) {
        return "afterimage-changes" + disk;
    }

    /** The scratch folder of the cut that began the job; empty when it was another program. */
    static Optional<Path> folder(String xml) throws LibvirtException {
        XmlElement job = XmlElement.parse(xml);
        return job.at("disks").stream()
                .flatMap(disks -> disks.all("disk").stream())
                .map(disk -> disk.attribute("file", "scratch"))
                .filter(file -> file.startsWith("/"))
                .map(file -> Path.of(file).getParent())
                .filter(ScratchFolder::isOne)
                .findFirst();
    }

    private static String escape(String text) {
        return SPECIAL.matcher(text).replaceAll(special -> "&#" + (int) special.group().charAt(0) + ";");
    }
}
