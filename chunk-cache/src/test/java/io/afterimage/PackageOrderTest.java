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
    private static final List<String> ORDER = List.of("cache", "fetch", "overlay", "boot", "image");

    private static final String ROOT = "io.afterimage.";

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                // Another module's tests, whose contract is used here, come as a jar.
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
                .because("a read goes down from the image to what is kept, never up again: what keeps chunks must not know who asks")
                .allowEmptyShould(true)
                .check(classes);
    }

    @Test
    void chunksAreKeptAndFetchedWithoutKnowingOfPoints() {
        noClasses().that().resideInAnyPackage(names(List.of("cache", "fetch")))
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("manifest", "catalog", "block")))
                .because("a chunk is the same for every point that has it; whoever cached by point would keep it many times")
                .check(classes);
    }

    @Test
    void anOverlayKnowsNoBackups() {
        noClasses().that().resideInAPackage(ROOT + "overlay")
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("repository", "catalog", "manifest", "pack", "chunk", "store..")))
                .because("changes lie over any block device; an overlay that knew what is below could be tested with a repository only")
                .allowEmptyShould(true)
                .check(classes);
    }

    @Test
    void readingNeverCaptures() {
        noClasses().that().resideInAnyPackage(names(ORDER))
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("capture..", "index", "retention", "maintenance", "nbd..", "store.file", "store.s3")))
                .because("a host that only reads needs neither QEMU nor a dedupe index, and an image is a device before it is an export")
                .check(classes);
    }

    @Test
    void modulesAboveAreNotSeen() {
        noClasses().that().resideInAnyPackage(names(ORDER))
                .should().dependOnClassesThat().resideInAnyPackage(names(List.of("fuse..", "settings", "app", "assembly", "command..")))
                .because("mounts, servers and commands are built on images")
                .check(classes);
    }

    @Test
    void sqlAndNettyStayOut() {
        noClasses().that().resideInAnyPackage(names(ORDER))
                .should().dependOnClassesThat().resideInAnyPackage("java.sql..", "org.sqlite..", "io.netty..")
                .because("a map is resolved once, when a point is opened, and a read blocks its own thread: neither SQL nor an event loop is on its path")
                .check(classes);
    }

    @Test
    void thereAreNoCycles() {
        slices().matching(ROOT + "(**)").should().beFreeOfCycles()
                .because("packages that need each other are one package in disguise")
                .check(classes);
    }
}
