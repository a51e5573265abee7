package io.takhin.distribution;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Rules of the whole repository that the module system cannot see (docs/architecture, names in
/// CONTRIBUTING.md).
class ArchitectureTest {
  private static final Pattern BAD_NAME =
      Pattern.compile("^(Abstract|Base)[A-Z].*|.*(Manager|Util|Utils|Helper|Helpers|Impl)$");
  private static JavaClasses all;
  private static List<String> plugins;

  @BeforeAll
  static void importEverything() throws IOException {
    Path root = Distribution.repository();
    List<Path> directories = new ArrayList<>();
    directories.add(root.resolve("takhin-api/target/classes"));
    directories.add(root.resolve("takhin-kernel/target/classes"));
    directories.add(root.resolve("takhin-coordinator/target/classes"));
    plugins = new ArrayList<>();
    try (Stream<Path> modules = Files.list(root.resolve("plugins")).sorted()) {
      for (Path module : modules.toList()) {
        Path classes = module.resolve("target/classes/io/takhin");
        if (Files.isDirectory(classes)) {
          directories.add(classes);
          if (!module.getFileName().toString().startsWith("example-")) {
            plugins.add(packageOf(classes));
          }
        }
      }
    }
    all = new ClassFileImporter().importPaths(directories);
    assertTrue(all.size() > 100 && plugins.size() >= 7, () -> all.size() + " " + plugins);
  }

  /// The one package that all others of a module lie in: `io.takhin.<point>.<implementation>`.
  private static String packageOf(Path classes) throws IOException {
    try (Stream<Path> files = Files.find(classes, 2, (file, is) -> is.isDirectory())) {
      List<Path> found =
          files.filter(file -> classes.relativize(file).getNameCount() == 2).toList();
      assertEquals(1, found.size(), found::toString);
      return "io.takhin." + classes.relativize(found.getFirst()).toString().replace('/', '.');
    }
  }

  @Test
  void onlyTheKafkaProtocolKnowsKafkasClasses() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.takhin.protocol.kafka..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.apache.kafka..")
        .check(all);
  }

  @Test
  void everyPublicTypeOfTheApiSaysHowFirmItIs() {
    classes()
        .that()
        .resideInAPackage("io.takhin.api..")
        .and()
        .arePublic()
        .and()
        .haveSimpleNameNotEndingWith("package-info")
        .and()
        .areTopLevelClasses()
        .should()
        .beAnnotatedWith("io.takhin.api.Api")
        .check(all);
  }

  @Test
  void pluginsMeetOnlyThroughTheApi() {
    for (String plugin : plugins) {
      List<String> others = new ArrayList<>(plugins);
      others.remove(plugin);
      others.add("io.takhin.kernel");
      noClasses()
          .that()
          .resideInAPackage(plugin + "..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(others.stream().map(other -> other + "..").toArray(String[]::new))
          .check(all);
    }
    noClasses()
        .that()
        .resideInAnyPackage("io.takhin.api..", "io.takhin.kernel..", "io.takhin.coordinator")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(plugins.stream().map(p -> p + "..").toArray(String[]::new))
        .check(all);
  }

  @Test
  void threadsComeFromTheKernel() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.takhin.kernel..")
        .should()
        .callConstructorWhere(
            DescribedPredicate.describe(
                "it makes a thread", call -> call.getTargetOwner().isAssignableTo(Thread.class)))
        .orShould()
        .callMethod(Thread.class, "ofPlatform")
        .orShould()
        .callMethod(Thread.class, "ofVirtual")
        .orShould()
        .callMethod(Thread.class, "startVirtualThread", Runnable.class)
        .check(all);
  }

  @Test
  void nothingIsKeptPerThread() {
    fields().should().notHaveRawType(ThreadLocal.class).check(all);
    noClasses().should().dependOnClassesThat().areAssignableTo(ThreadLocal.class).check(all);
  }

  @Test
  void clocksComeFromTheKernel() {
    noClasses()
        .that()
        .resideOutsideOfPackages("io.takhin.kernel..")
        .should()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Instant.class, "now")
        .check(all);
  }

  @Test
  void namesAreNounsOfTheDomain() {
    classes()
        .should(
            new ArchCondition<>("have a name that says something") {
              @Override
              public void check(JavaClass type, ConditionEvents events) {
                if (BAD_NAME.matcher(type.getSimpleName()).matches()) {
                  events.add(SimpleConditionEvent.violated(type, type.getName() + " says nothing"));
                }
              }
            })
        .check(all);
  }

  @Test
  void accessorsOfOurOwnTypesHaveNoGet() {
    Pattern get = Pattern.compile("get[A-Z].*");
    methods()
        .that()
        .arePublic()
        .and()
        .areDeclaredInClassesThat()
        .resideInAnyPackage("io.takhin.api..", "io.takhin.kernel..", "io.takhin.coordinator")
        .should(
            new ArchCondition<>("not begin with get") {
              @Override
              public void check(JavaMethod method, ConditionEvents events) {
                boolean own =
                    !method.getModifiers().contains(JavaModifier.SYNTHETIC)
                        && method.getOwner().getAllRawInterfaces().stream()
                            .allMatch(type -> type.getName().startsWith("io.takhin."))
                        && method.getOwner().getAllRawSuperclasses().stream()
                            .allMatch(
                                type ->
                                    Set.of("java.lang.Object", "java.lang.Record", "java.lang.Enum")
                                        .contains(type.getName()));
                if (own && get.matcher(method.getName()).matches()) {
                  events.add(SimpleConditionEvent.violated(method, method.getFullName()));
                }
              }
            })
        .check(all);
  }
}
