package io.any4;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The one rule of the house that code review cannot see at a glance: packages form a stack, and imports
/// point down.
class ArchitectureTest {
    /// Bottom to top, as ARCHITECTURE.md lists them; the facade in the root package stands on all of them.
    private static final List<String> STACK = List.of(
            "io.any4.tensor",
            "io.any4.machine",
            "io.any4.checkpoint",
            "io.any4.tinygemm",
            "io.any4.quant",
            "io.any4.text",
            "io.any4.model",
            "io.any4.calibrate",
            "io.any4.engine",
            "io.any4");

    private static final JavaClasses CORE =
            new ClassFileImporter(List.of(new ImportOption.DoNotIncludeTests())).importPackages("io.any4");

    @Test
    void importsPointDown() {
        TreeSet<String> upward = new TreeSet<>();
        for (JavaClass user : CORE) {
            int level = level(user);
            for (Dependency dependency : user.getDirectDependenciesFromSelf()) {
                JavaClass used = dependency.getTargetClass();
                if (used.getPackageName().startsWith("io.any4") && level(used) > level) {
                    upward.add(user.getName() + " uses " + used.getName());
                }
            }
        }
        assertThat(upward).as("dependencies that point up the stack %s", STACK).isEmpty();
    }

    @Test
    void packagesAreFreeOfCycles() {
        slices().matching("io.any4.(*)..").should().beFreeOfCycles().check(CORE);
    }

    private static int level(JavaClass type) {
        int level = STACK.indexOf(type.getPackageName());
        assertThat(level)
                .as("%s is in a package that the stack does not name: add it to ARCHITECTURE.md and here", type)
                .isNotNegative();
        return level;
    }
}
