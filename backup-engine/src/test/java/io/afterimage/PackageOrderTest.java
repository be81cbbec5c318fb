package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import org.junit.jupiter.api.Test;

/** The order of the module's packages, as docs/design.md draws it. */
final class PackageOrderTest {

    private static final PackageOrder ORDER = new PackageOrder(
            "store", "store.file", "store.s3", "keys", "chunk", "pack", "index", "manifest", "catalog", "repository", "profile",
            "capture", "capture.agent", "capture.qemu", "capture.libvirt", "retention", "maintenance");

    @Test
    void packagesUseOnlyThoseBeforeThem() {
        ORDER.check("the repository is built upwards, from bytes in a store to points of machines; an import the other way ties a format to its user");
    }

    @Test
    void storesKnowNothingOfWhatTheyHold() {
        noClasses().that().resideInAnyPackage(PackageOrder.below("store.file", "store.s3"))
                .should().dependOnClassesThat(DescribedPredicate.describe(
                        "are of this project and outside of its store packages",
                        type -> type.getPackageName().startsWith("io.afterimage.") && !type.getPackageName().startsWith("io.afterimage.store")))
                .because("a provider moves bytes; what they mean is the affair of the packages above it")
                .check(ORDER.classes());
        noClasses().that().resideInAPackage("io.afterimage.store.s3").should().dependOnClassesThat().resideInAPackage("io.afterimage.store.file")
                .because("each provider stands alone: one must be removable without the other noticing")
                .check(ORDER.classes());
    }

    @Test
    void modulesAboveAreNotSeen() {
        ORDER.never("the engine writes and reads points; serving them is built on it, and of NBD it needs the client alone",
                PackageOrder.below("cache..", "fetch..", "overlay..", "image..", "fuse..", "app..", "nbd.server..", "nbd.codec.."));
    }

    @Test
    void librariesStayWhereTheyBelong() {
        ORDER.onlyIn("the SDK changes often and other stores do without it", "software.amazon..", "store.s3");
        ORDER.onlyIn("compression is part of two formats, the chunk's frame and the manifest's", "com.github.luben..", "chunk", "manifest");
        String sql = "a manifest is read into a BlockMap once; no read path and no other format touches SQL";
        ORDER.onlyIn(sql, "java.sql..", "manifest");
        ORDER.onlyIn(sql, "org.sqlite..", "manifest");
        String keys = "what is derived from which key, and where a nonce comes from, is to be read in one place";
        ORDER.onlyIn(keys, "javax.crypto..", "keys");
        ORDER.onlyIn(keys, "org.bouncycastle..", "keys");
        ORDER.onlyIn("who backs up without libvirt must not need its library, nor what calls it", "jnr..", "capture.libvirt");
    }
}
