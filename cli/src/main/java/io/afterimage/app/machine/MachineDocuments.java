package io.afterimage.app.machine;

import io.afterimage.app.TargetException;
import io.afterimage.app.boot.Writes;
import io.afterimage.capture.Definition;
import io.afterimage.capture.libvirt.LibvirtDefinition;
import io.afterimage.capture.libvirt.LibvirtException;
import io.afterimage.capture.libvirt.RestoredDomain;
import io.afterimage.catalog.CatalogException;
import io.afterimage.manifest.DiskName;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.SortedMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** The documents that describe the machine of a point. */
public final class MachineDocuments {

    /** Names that are files below a folder, and nowhere else. */
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*){0,4}");

    private final SortedMap<String, String> documents;

    /** @param documents a manifest's definition, which anybody may have written */
    public MachineDocuments(SortedMap<String, String> documents) {
        this.documents = documents;
    }

    /** A document as it is stored. */
    public String text(String name) throws CatalogException {
        String text = documents.get(name);
        if (text == null) {
            throw new CatalogException(
                    CatalogException.Reason.NO_SUCH_DOCUMENT,
                    "The point has no document '" + name + "'" + (documents.isEmpty()
                            ? ": it was made of image files, which tell nothing of the machine."
                            : ": it has " + String.join(", ", documents.keySet()) + "."));
        }
        return text;
    }

    /**
     * Writes each to a file of its name, binary ones as what they are.
     *
     * @param folder is made if it is not there; for its owner alone, as firmware and TPMs keep secrets
     * @param disks what disks were restored to: libvirt's definitions get it for sources
     * @return how many documents there are
     */
    public int write(Path folder, Map<DiskName, RestoredDomain.Source> disks, boolean overwrite) throws IOException {
        Map<String, RestoredDomain.Source> sources = disks.entrySet().stream()
                .collect(Collectors.toMap(disk -> DiskOrigins.libvirtName(documents, disk.getKey()), Map.Entry::getValue));
        for (Map.Entry<String, String> document : documents.entrySet()) {
            if (!NAME.matcher(document.getKey()).matches()) {
                throw new TargetException("The point has a document of the name '" + document.getKey().replaceAll("\\p{Cntrl}", "?")
                        + "', which cannot be a file's: print it with show --definition.");
            }
            write(folder, document.getKey(), content(document, sources), overwrite);
        }
        return documents.size();
    }

    private byte[] content(Map.Entry<String, String> document, Map<String, RestoredDomain.Source> sources) throws IOException {
        try {
            if (document.getKey().endsWith(Definition.BINARY)) {
                return Definition.decode(document.getValue());
            }
            boolean isDomain = document.getKey().equals(LibvirtDefinition.DOMAIN_AT_NEXT_START);
            String text = isDomain && !sources.isEmpty() ? RestoredDomain.with(sources, document.getValue()) : document.getValue();
            return text.getBytes(StandardCharsets.UTF_8);
        } catch (LibvirtException e) {
            throw e;
        } catch (IOException e) {
            throw new TargetException("The document " + document.getKey() + " of the point is damaged (" + e.getMessage()
                    + "): take it from another point.", e);
        }
    }

    private static void write(Path folder, String name, byte[] content, boolean overwrite) throws IOException {
        Path file = folder.resolve(name.endsWith(Definition.BINARY) ? name.substring(0, name.length() - Definition.BINARY.length()) : name);
        Files.createDirectories(
                file.getParent(), PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        if (Files.exists(file)) {
            if (!overwrite) {
                throw new TargetException("The file " + file + " is there already: choose another folder, or overwrite it with --force.");
            }
            Files.delete(file);
        }
        Files.write(file, content);
    }
}
