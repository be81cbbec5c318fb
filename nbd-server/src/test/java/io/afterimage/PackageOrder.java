package io.afterimage;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.stream.Stream;

/** The packages of a module, with what is below each, in an order: each may use those before it. For the tests that hold the modules to docs/design.md. */
public final class PackageOrder {

    private static final String ROOT = "io.afterimage.";

    private final List<String> order;
    private final JavaClasses classes;

    /** @param order names below {@code io.afterimage}; one whose name another one begins with is taken alone */
    public PackageOrder(String... order) {
        this.order = List.of(order);
        classes = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                // Other modules' tests, whose fixtures are used, come as jars.
                .withImportOption(location -> !location.contains("-tests.jar"))
                .importPackages("io.afterimage");
    }

    /** All that is in sight: the module's classes and those of the modules below. */
    public JavaClasses classes() {
        return classes;
    }

    /** The module's packages, as patterns. */
    public String[] own() {
        return order.stream().map(this::pattern).toArray(String[]::new);
    }

    private String pattern(String name) {
        boolean trunk = order.stream().anyMatch(other -> other.startsWith(name + "."));
        return ROOT + name + (trunk ? "" : "..");
    }

    /** Names below {@code io.afterimage}, as patterns. */
    public static String[] below(String... names) {
        return Stream.of(names).map(ROOT::concat).toArray(String[]::new);
    }

    /** Each package uses only those before it, and there are no cycles. */
    public void check(String reason) {
        for (int i = 0; i < order.size(); i++) {
            noClasses().that().resideInAPackage(pattern(order.get(i)))
                    .should().dependOnClassesThat().resideInAnyPackage(order.stream().skip(i + 1).map(this::pattern).toArray(String[]::new))
                    .because(reason)
                    .check(classes);
        }
        slices().matching(ROOT + "(**)").should().beFreeOfCycles()
                .because("packages that need each other are one package in disguise")
                .check(classes);
    }

    /** No class of the module uses those packages. */
    public void never(String reason, String... packages) {
        noClasses().that().resideInAnyPackage(own()).should().dependOnClassesThat().resideInAnyPackage(packages).because(reason).check(classes);
    }

    /** Of all that is in sight only those packages, named below {@code io.afterimage}, use a library. */
    public void onlyIn(String reason, String library, String... packages) {
        noClasses().that().resideOutsideOfPackages(below(packages)).should().dependOnClassesThat().resideInAPackage(library).because(reason).check(classes);
    }
}
