package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import org.junit.jupiter.api.Test;

/** The order of the module's packages, as docs/design.md draws it. */
final class PackageOrderTest {

    private static final PackageOrder ORDER = new PackageOrder("fuse.partition", "fuse.tree", "fuse.jnr", "fuse");

    @Test
    void packagesUseOnlyThoseBeforeThem() {
        ORDER.check("a tree that knew the kernel could be tested with one only, and partitions are found on any device");
    }

    @Test
    void theBindingStaysInItsPackage() {
        noClasses().that().resideInAPackage("io.afterimage.fuse..").and().resideOutsideOfPackage("io.afterimage.fuse.jnr")
                .should().dependOnClassesThat().resideInAnyPackage("ru.serce..", "jnr..")
                .because("who speaks with the kernel, and through what, is to be exchanged in one place")
                .check(ORDER.classes());
    }

    @Test
    void partitionsAreFoundOnAnyDevice() {
        noClasses().that().resideInAPackage("io.afterimage.fuse.partition")
                .should().dependOnClassesThat().resideInAnyPackage(PackageOrder.below("image", "repository", "catalog", "manifest", "store.."))
                .because("a table is read from bytes at offsets, wherever they come from")
                .check(ORDER.classes());
    }

    @Test
    void aMountOnlyReads() {
        ORDER.never("the tree shows what is there, whichever store it is in, and changes none of it",
                PackageOrder.below("capture..", "index", "retention", "maintenance", "nbd..", "store.file", "store.s3"));
    }

    @Test
    void modulesAboveAreNotSeen() {
        ORDER.never("commands are built on mounts", PackageOrder.below("settings", "app", "assembly", "command.."));
    }

    @Test
    void modulesBelowDoNotLookUp() {
        noClasses().that().resideOutsideOfPackage("io.afterimage.fuse..")
                .should().dependOnClassesThat().resideInAPackage("io.afterimage.fuse..")
                .because("a repository and its images are there without a mount")
                .check(ORDER.classes());
    }
}
