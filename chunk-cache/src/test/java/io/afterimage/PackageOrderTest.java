package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import org.junit.jupiter.api.Test;

/** The order of the module's packages, as docs/design.md draws it. */
final class PackageOrderTest {

    private static final PackageOrder ORDER = new PackageOrder("cache", "fetch", "overlay", "boot", "image");

    @Test
    void packagesUseOnlyThoseBeforeThem() {
        ORDER.check("a read goes down from the image to what is kept, never up again: what keeps chunks must not know who asks");
    }

    @Test
    void chunksAreKeptAndFetchedWithoutKnowingOfPoints() {
        noClasses().that().resideInAnyPackage(PackageOrder.below("cache", "fetch"))
                .should().dependOnClassesThat().resideInAnyPackage(PackageOrder.below("manifest", "catalog", "block"))
                .because("a chunk is the same for every point that has it; whoever cached by point would keep it many times")
                .check(ORDER.classes());
    }

    @Test
    void anOverlayKnowsNoBackups() {
        noClasses().that().resideInAPackage("io.afterimage.overlay")
                .should().dependOnClassesThat().resideInAnyPackage(PackageOrder.below("repository", "catalog", "manifest", "pack", "chunk", "store.."))
                .because("changes lie over any block device; an overlay that knew what is below could be tested with a repository only")
                .check(ORDER.classes());
    }

    @Test
    void readingNeverCaptures() {
        ORDER.never("a host that only reads needs neither QEMU nor a dedupe index, and an image is a device before it is an export",
                PackageOrder.below("capture..", "index", "retention", "maintenance", "nbd..", "store.file", "store.s3"));
    }

    @Test
    void modulesAboveAreNotSeen() {
        ORDER.never("mounts, servers and commands are built on images", PackageOrder.below("fuse..", "settings", "app", "assembly", "command.."));
    }

    @Test
    void sqlAndNettyStayOut() {
        ORDER.never("a map is resolved once, when a point is opened, and a read blocks its own thread: neither SQL nor an event loop is on its path",
                "java.sql..", "org.sqlite..", "io.netty..");
    }
}
