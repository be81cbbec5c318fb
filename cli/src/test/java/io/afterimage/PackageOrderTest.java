package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import io.afterimage.store.ObjectStore;
import org.junit.jupiter.api.Test;

/** The order of the module's packages, as docs/design.md draws it, and what holds for the whole house: all modules are in sight here. */
final class PackageOrderTest {

    private static final PackageOrder ORDER = new PackageOrder(
            "settings", "posix", "files", "guestfs", "app", "app.image", "app.machine", "app.restore", "app.export", "app.guest", "app.boot", "app.backup", "assembly",
            "command");

    @Test
    void packagesUseOnlyThoseBeforeThem() {
        ORDER.check("settings are data, a use case gets what it works with handed in, assembly alone puts things together, and a"
                + " command calls: an import the other way makes a use case that only this program can run");
    }

    @Test
    void whatIsRenderedKnowsNotWhoAsked() {
        noClasses().that().resideInAPackage("io.afterimage.command.output")
                .should().dependOnClassesThat().resideInAnyPackage(PackageOrder.below("command", "app..", "assembly"))
                .because("several commands print the same things, and printing starts no work")
                .check(ORDER.classes());
    }

    @Test
    void nobodySeesThisModule() {
        noClasses().that().resideOutsideOfPackages(ORDER.own())
                .should().dependOnClassesThat().resideInAnyPackage(ORDER.own())
                .because("the program is built on the libraries, which others may build on without it")
                .check(ORDER.classes());
    }

    @Test
    void librariesStayWhereTheyBelong() {
        ORDER.onlyIn("a use case is called by other front ends as well, and they have no command line", "picocli..", "command..");
        ORDER.onlyIn("everything else sees block devices and need not know how bytes come over a wire", "io.netty..", "nbd..");
        String reason = "a manifest is read into a BlockMap once; no read path and no other format touches SQL";
        ORDER.onlyIn(reason, "java.sql..", "manifest");
        ORDER.onlyIn(reason, "org.sqlite..", "manifest");
    }

    @Test
    void storesAreChosenInAssembly() {
        String reason = "which store it is, and under which decorators, is decided in one place; everybody else has an ObjectStore";
        noClasses().that().resideInAnyPackage(PackageOrder.below("app..", "command.."))
                .should().dependOnClassesThat().resideInAnyPackage(PackageOrder.below("store.file..", "store.s3.."))
                .because(reason)
                .check(ORDER.classes());
        noClasses().that().resideInAPackage("io.afterimage.settings..")
                .should().dependOnClassesThat().areAssignableTo(ObjectStore.class)
                .because(reason + "; a setting may hold a store's location, which is a value and opens nothing")
                .check(ORDER.classes());
    }
}
