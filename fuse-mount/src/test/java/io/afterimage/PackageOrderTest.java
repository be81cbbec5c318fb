package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The order of the module's packages, as docs/design.md draws it. */
final class PackageOrderTest {

    /** Each may use what stands before it. */
    private static final List<String> ORDER = List.of("fuse.partition", "fuse.tree", "fuse.jnr", "fuse");

    private static final String ROOT = "io.afterimage.";

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                // Another module's tests, whose stores are used here, come as a jar.
                .withImportOption(location -> !location.contains("-tests.jar"))
                .importPackages("io.afterimage");
    }

    static Stream<String> packages() {
        return ORDER.stream();
    }

    private static String[] names(List<String> packages) {
        return packages.stream().map(ROOT::concat).toArray(String[]::new);
    }

    @ParameterizedTest
    @MethodSource("packages")
    void aPackageUsesOnlyThoseBeforeIt(String name) {
        noClasses().that().resideInAPackage(ROOT + name)
                .should().dependOnClassesThat().resideInAnyPackage(names(ORDER.subList(ORDER.indexOf(name) + 1, ORDER.size())))
                .because("a tree that knew the kernel could be tested with one only, and partitions are found on any device")
                .allowEmptyShould(true)
                .check(classes);
    }

    @Test
    void theBindingStaysInItsPackage() {
        noClasses().that().resideInAPackage(ROOT + "fuse..").and().resideOutsideOfPackage(ROOT + "fuse.jnr")
                .should().dependOnClassesThat().resideInAnyPackage("ru.serce..", "jnr..")
                .because("who speaks with the kernel, and through what, is to be exchanged in one place")
                .check(classes);
    }

    @Test
    void partitionsAreFoundOnAnyDevice() {
        noClasses().that().resideInAPackage(ROOT + "fuse.partition")
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("image", "repository", "catalog", "manifest", "store..")))
                .because("a table is read from bytes at offsets, wherever they come from")
                .check(classes);
    }

    @Test
    void aMountOnlyReads() {
        noClasses().that().resideInAPackage(ROOT + "fuse..")
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("capture..", "index", "retention", "maintenance", "nbd..", "store.file", "store.s3")))
                .because("the tree shows what is there, whichever store it is in, and changes none of it")
                .check(classes);
    }

    @Test
    void modulesAboveAreNotSeen() {
        noClasses().that().resideInAPackage(ROOT + "fuse..")
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("settings", "app", "assembly", "command..")))
                .because("commands are built on mounts")
                .check(classes);
    }

    @Test
    void modulesBelowDoNotLookUp() {
        noClasses().that().resideOutsideOfPackage(ROOT + "fuse..")
                .should().dependOnClassesThat().resideInAPackage(ROOT + "fuse..")
                .because("a repository and its images are there without a mount")
                .check(classes);
    }

    @Test
    void thereAreNoCycles() {
        slices().matching(ROOT + "(**)").should().beFreeOfCycles()
                .because("packages that need each other are one package in disguise")
                .check(classes);
    }
}
