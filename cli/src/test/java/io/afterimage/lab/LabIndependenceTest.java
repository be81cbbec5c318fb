package io.afterimage.lab;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import org.junit.jupiter.api.Test;

class LabIndependenceTest {

    @Test
    void theLabKnowsNothingOfAfterimage() {
        classes().that().resideInAPackage("io.afterimage.lab")
                .should().onlyDependOnClassesThat()
                .resideInAnyPackage("io.afterimage.lab", "java..", "tools.jackson..", "org.junit..", "com.tngtech.archunit..")
                .because("a peer that shares code with what it checks would share its mistakes")
                .check(new ClassFileImporter().importPackages("io.afterimage.lab"));
    }
}
