package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
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
    private static final List<String> ORDER = List.of(
            "store", "store.file", "store.s3", "keys", "chunk", "pack", "index", "manifest", "catalog", "repository", "profile",
            "capture", "capture.agent", "capture.qemu", "capture.libvirt", "retention", "maintenance");

    private static final String ROOT = "io.afterimage.";

    private static JavaClasses classes;

    @BeforeAll
    static void read() {
        classes = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.afterimage");
    }

    static Stream<String> packages() {
        return ORDER.stream();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void aPackageUsesOnlyThoseBeforeIt(String name) {
        String[] later = ORDER.stream().skip(ORDER.indexOf(name) + 1).map(ROOT::concat).toArray(String[]::new);
        noClasses().that().resideInAPackage(ROOT + name)
                .should().dependOnClassesThat().resideInAnyPackage(later)
                .because("the repository is built upwards, from bytes in a store to points of machines; an import the other way ties a format to its user")
                .allowEmptyShould(true)
                .check(classes);
    }

    @Test
    void storesKnowNothingOfWhatTheyHold() {
        noClasses().that().resideInAnyPackage(ROOT + "store.file", ROOT + "store.s3")
                .should().dependOnClassesThat(DescribedPredicate.describe(
                        "are of this project and outside of its store packages",
                        type -> type.getPackageName().startsWith(ROOT) && !type.getPackageName().equals(ROOT + "store")
                                && !type.getPackageName().equals(ROOT + "store.file") && !type.getPackageName().equals(ROOT + "store.s3")))
                .because("a provider moves bytes; what they mean is the affair of the packages above it")
                .allowEmptyShould(true)
                .check(classes);
        noClasses().that().resideInAPackage(ROOT + "store.file").should().dependOnClassesThat().resideInAPackage(ROOT + "store.s3")
                .because("each provider stands alone: one must be removable without the other noticing")
                .check(classes);
        noClasses().that().resideInAPackage(ROOT + "store.s3").should().dependOnClassesThat().resideInAPackage(ROOT + "store.file")
                .because("each provider stands alone: one must be removable without the other noticing")
                .allowEmptyShould(true)
                .check(classes);
    }

    @Test
    void modulesAboveAreNotSeen() {
        noClasses().that().resideInAnyPackage(ORDER.stream().map(ROOT::concat).toArray(String[]::new))
                .should().dependOnClassesThat().resideInAnyPackage("io.afterimage.cache..", "io.afterimage.fetch..", "io.afterimage.overlay..",
                        "io.afterimage.image..", "io.afterimage.fuse..", "io.afterimage.app..", "io.afterimage.nbd.server..", "io.afterimage.nbd.codec..")
                .because("the engine writes and reads points; serving them is built on it, and of NBD it needs the client alone")
                .check(classes);
    }

    @Test
    void nativeCallsStayInTheirPackage() {
        onlyIn("who backs up without libvirt must not need its library, nor what calls it", "jnr..", List.of("capture.libvirt"));
    }

    @Test
    void theS3SdkStaysInItsPackage() {
        onlyIn("the SDK changes often and other stores do without it", "software.amazon..", List.of("store.s3"));
    }

    @Test
    void sqliteStaysInItsPackage() {
        onlyIn("a manifest is read into a BlockMap once; no read path and no other format touches SQL", "java.sql..", List.of("manifest"));
        onlyIn("a manifest is read into a BlockMap once; no read path and no other format touches SQL", "org.sqlite..", List.of("manifest"));
    }

    @Test
    void compressionStaysInItsPackages() {
        onlyIn("compression is part of two formats, the chunk's frame and the manifest's", "com.github.luben..", List.of("chunk", "manifest"));
    }

    @Test
    void cryptographyStaysInItsPackage() {
        String reason = "what is derived from which key, and where a nonce comes from, is to be read in one place";
        onlyIn(reason, "javax.crypto..", List.of("keys"));
        onlyIn(reason, "org.bouncycastle..", List.of("keys"));
    }

    @Test
    void nativeSocketsStayInCapture() {
        onlyIn("QMP and the guest agent are spoken by capture alone", "jnr..", List.of("capture", "capture.agent", "capture.qemu", "capture.libvirt"));
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
