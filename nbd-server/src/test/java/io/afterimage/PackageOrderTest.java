package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import org.junit.jupiter.api.Test;

/** The order of the module's packages, as docs/design.md draws it. */
final class PackageOrderTest {

    private static final PackageOrder ORDER =
            new PackageOrder("block", "nbd.protocol", "nbd.codec", "nbd.negotiation", "nbd.server", "nbd.client");

    @Test
    void packagesUseOnlyThoseBeforeThem() {
        ORDER.check("what is general must not know what is special: the block layer is shared by houses without NBD,"
                + " and records without a network can be read and tested alone");
        noClasses().that().resideInAPackage("io.afterimage.nbd.client")
                .should().dependOnClassesThat().resideInAPackage("io.afterimage.nbd.server")
                .because("client and server agree by the protocol alone, or they would agree on its violations too")
                .check(ORDER.classes());
    }

    @Test
    void nettyStaysWhereBytesMove() {
        ORDER.onlyIn("who may do what must not depend on how bytes are carried", "io.netty..", "nbd.codec", "nbd.server", "nbd.client");
        classes().that().resideInAPackage("io.afterimage.block")
                .should().onlyDependOnClassesThat().resideInAnyPackage("java..", "io.afterimage.block")
                .because("every module builds on the block layer, so it brings nothing along")
                .check(ORDER.classes());
    }
}
