package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.afterimage.store.ObjectStore;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The order of the module's packages, as docs/design.md draws it, and what holds for the whole house: all modules are in sight here. */
final class PackageOrderTest {

    /** Each may use what stands before it. */
    private static final List<String> ORDER = List.of("settings", "posix", "files", "guestfs", "app", "assembly", "command");

    private static final String ROOT = "io.afterimage.";

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                // Another module's tests, whose servers are used here, come as a jar.
                .withImportOption(location -> !location.contains("-tests.jar"))
                .importPackages("io.afterimage");
    }

    static Stream<String> packages() {
        return ORDER.stream();
    }

    private static String tree(String name) {
        return ROOT + name + "..";
    }

    private static String[] trees() {
        return packages().map(PackageOrderTest::tree).toArray(String[]::new);
    }

    @ParameterizedTest
    @MethodSource("packages")
    void aPackageUsesOnlyThoseBeforeIt(String name) {
        String[] later = ORDER.stream().skip(ORDER.indexOf(name) + 1).map(PackageOrderTest::tree).toArray(String[]::new);
        noClasses().that().resideInAPackage(ROOT + name + "..")
                .should().dependOnClassesThat().resideInAnyPackage(later)
                .because("settings are data, a use case gets what it works with handed in, assembly alone puts things together, and a"
                        + " command calls: an import the other way makes a use case that only this program can run")
                .allowEmptyShould(true)
                .check(classes);
    }

    @Test
    void whatIsRenderedKnowsNotWhoAsked() {
        noClasses().that().resideInAPackage(ROOT + "command.output")
                .should().dependOnClassesThat().resideInAnyPackage(ROOT + "command", ROOT + "app", ROOT + "assembly")
                .because("several commands print the same things, and printing starts no work")
                .check(classes);
    }

    @Test
    void nobodySeesThisModule() {
        noClasses().that().resideOutsideOfPackages(trees())
                .should().dependOnClassesThat().resideInAnyPackage(trees())
                .because("the program is built on the libraries, which others may build on without it")
                .check(classes);
    }

    @Test
    void theCommandLineStaysInItsPackage() {
        onlyIn("a use case is called by other front ends as well, and they have no command line", "picocli..", List.of("command.."));
    }

    @Test
    void nettyStaysInNbd() {
        onlyIn("everything else sees block devices and need not know how bytes come over a wire", "io.netty..", List.of("nbd.."));
    }

    @Test
    void sqlStaysInTheManifest() {
        String reason = "a manifest is read into a BlockMap once; no read path and no other format touches SQL";
        onlyIn(reason, "java.sql..", List.of("manifest"));
        onlyIn(reason, "org.sqlite..", List.of("manifest"));
    }

    @Test
    void storesAreChosenInAssembly() {
        String reason = "which store it is, and under which decorators, is decided in one place; everybody else has an ObjectStore";
        noClasses().that().resideInAnyPackage(ROOT + "app..", ROOT + "command..")
                .should().dependOnClassesThat().resideInAnyPackage(ROOT + "store.file..", ROOT + "store.s3..")
                .because(reason)
                .check(classes);
        noClasses().that().resideInAPackage(ROOT + "settings..")
                .should().dependOnClassesThat().areAssignableTo(ObjectStore.class)
                .because(reason + "; a setting may hold a store's location, which is a value and opens nothing")
                .check(classes);
    }

    private static void onlyIn(String reason, String library, List<String> packages) {
        noClasses().that().resideOutsideOfPackages(packages.stream().map(ROOT::concat).toArray(String[]::new))
                .should().dependOnClassesThat().resideInAPackage(library)
                .because(reason)
                .check(classes);
    }

    @Test
    void thereAreNoCycles() {
        slices().matching(ROOT + "(**)").should().beFreeOfCycles()
                .because("packages that need each other are one package in disguise")
                .check(classes);
    }
}
