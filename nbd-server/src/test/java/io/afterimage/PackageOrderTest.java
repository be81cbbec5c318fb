package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The order of this module's packages: each may use those above it, never those below. */
final class PackageOrderTest {

    private static final List<String> ORDER = List.of(
            "io.afterimage.block",
            "io.afterimage.nbd.protocol",
            "io.afterimage.nbd.codec",
            "io.afterimage.nbd.negotiation",
            "io.afterimage.nbd.server",
            "io.afterimage.nbd.client");

    private final JavaClasses module = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.afterimage");

    @Test
    void packagesUseOnlyWhatStandsAboveThem() {
        for (int i = 0; i < ORDER.size(); i++) {
            noClasses().that().resideInAPackage(ORDER.get(i))
                    .should().dependOnClassesThat().resideInAnyPackage(ORDER.subList(i + 1, ORDER.size()).toArray(String[]::new))
                    .because("what is general must not know what is special: the block layer is shared by houses without NBD,"
                            + " and records without a network can be read and tested alone")
                    .check(module);
        }
        noClasses().that().resideInAPackage("io.afterimage.nbd.client")
                .should().dependOnClassesThat().resideInAPackage("io.afterimage.nbd.server")
                .because("client and server agree by the protocol alone, or they would agree on its violations too")
                .check(module);
        slices().matching("io.afterimage.(**)").should().beFreeOfCycles()
                .because("a cycle of packages is one package that pretends to be several")
                .check(module);
    }

    @Test
    void nettyStaysWhereBytesMove() {
        noClasses().that().resideInAnyPackage("io.afterimage.block", "io.afterimage.nbd.protocol", "io.afterimage.nbd.negotiation")
                .should().dependOnClassesThat().resideInAPackage("io.netty..")
                .because("who may do what must not depend on how bytes are carried")
                .check(module);
        classes().that().resideInAPackage("io.afterimage.block")
                .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "io.afterimage.block")
                .because("every module builds on the block layer, so it brings nothing along")
                .check(module);
    }
}
