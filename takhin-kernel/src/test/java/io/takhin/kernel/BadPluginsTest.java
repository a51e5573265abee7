package io.takhin.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.kernel.layer.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// One directory with every kind of bad plugin and two good ones: each bad one is refused by name
/// with its remedy, all in one run, while the good ones work.
class BadPluginsTest {
  @TempDir static Path home;

  private static TestKernel test;

  @BeforeAll
  static void startWithAllOfThem() throws IOException, StartFailure {
    PluginJars jars = new PluginJars(home.resolve("work"));
    Path plugins = Files.createDirectories(home.resolve("plugins"));
    jars.jar(plugins.resolve("good-dir/good.jar"), PluginJars.good("good-dir"));
    jars.jar(plugins.resolve("good-single.jar"), PluginJars.good("good-single"));

    jars.jar(plugins.resolve("bundles-api/plugin.jar"), PluginJars.good("bundles-api"));
    copyApi(plugins.resolve("bundles-api/takhin-api.jar"));
    jars.jar(
        plugins.resolve("wrong-api.jar"),
        PluginJars.good("wrong-api")
            .descriptor(PluginJars.descriptorOf("wrong-api").replace("0.1", "7.3")));
    missingModules(jars, plugins);
    splitPackage(jars, plugins);
    jars.jar(
        plugins.resolve("throws-in-create.jar"),
        PluginJars.metricsPlugin(
            "throws-in-create", "", "throw new IllegalStateException(\"boom in create\");", ""));
    jars.jar(
        plugins.resolve("throws-in-start.jar"),
        service("throws-in-start", "throw new IllegalStateException(\"boom in start\");"));
    jars.jar(
        plugins.resolve("user-error.jar"),
        service(
            "user-error",
            "throw new TakhinException(ErrorCode.UNKNOWN_SERVER_ERROR,"
                + " \"port 9 is taken: set user-error.text\");"));
    jars.jar(
        plugins.resolve("needs-native.jar"),
        service("needs-native", "System.load(\"/nonexistent/libx.so\");"));
    jars.jar(
        plugins.resolve("native-typo.jar"),
        PluginJars.good("native-typo")
            .descriptor(PluginJars.descriptorOf("native-typo") + "native-access=no.such.module"));
    Files.writeString(plugins.resolve("not-a-jar.jar"), "this is text");
    jars.jar(plugins.resolve("twin-1/twin.jar"), PluginJars.good("twin"));
    jars.jar(plugins.resolve("twin-2/twin.jar"), PluginJars.good("twin"));
    jars.jar(
        plugins.resolve("unknown-key.jar"),
        PluginJars.good("unknown-key")
            .descriptor(PluginJars.descriptorOf("unknown-key") + "nativ-access=x"));
    jars.jar(
        plugins.resolve("no-version.jar"), PluginJars.good("no-version").descriptor("name=x\n"));
    jars.jar(plugins.resolve("library.jar"), new PluginJars.Source());
    Files.createDirectories(plugins.resolve("empty"));
    jars.jar(
        plugins.resolve("provides-nothing.jar"),
        new PluginJars.Source()
            .named("provides-nothing")
            .file("module-info.java", "module test.nothing { requires io.takhin.api; }"));
    disagreeing(jars, plugins);
    missingClass(jars, plugins);
    test = TestKernel.started(home);
  }

  @AfterAll
  static void stop() {
    if (test != null) {
      test.close();
    }
  }

  private static PluginJars.Source service(String name, String startBody) {
    return PluginJars.metricsPlugin(
        name,
        "",
        "return new Service() { public void start() { "
            + startBody
            + " } public void close() {"
            + " System.setProperty(\"test.closed."
            + name
            + "\", \"yes\"); } };",
        "");
  }

  private static void copyApi(Path to) throws IOException {
    Path api = PluginJars.apiJar();
    if (Files.isDirectory(api)) {
      PluginJars.pack(api, to);
    } else {
      Files.copy(api, to);
    }
  }

  /// Compiled against a library that is then left out; and the same with the name of a JDK module.
  private static void missingModules(PluginJars jars, Path plugins) {
    for (String module : List.of("some.library", "jdk.imagined")) {
      Path library =
          jars.jar(
              home.resolve("work/" + module + ".jar"),
              new PluginJars.Source()
                  .file("module-info.java", "module " + module + " { exports " + module + "; }")
                  .file(
                      module.replace('.', '/') + "/L.java",
                      "package " + module + "; public class L {}"));
      String name = module.startsWith("jdk") ? "missing-jdk-module" : "missing-library";
      jars.jar(
          plugins.resolve(name + ".jar"),
          PluginJars.metricsPlugin(name, "requires " + module + ";", "return null;", "")
              .against(library));
    }
  }

  private static void splitPackage(PluginJars jars, Path plugins) {
    Path directory = plugins.resolve("two-halves");
    for (String module : List.of("left.half", "right.half")) {
      jars.jar(
          directory.resolve(module + ".jar"),
          new PluginJars.Source()
              .file("module-info.java", "module " + module + " { exports shared; }")
              .file(
                  "shared/" + module.replace('.', '_') + ".java",
                  "package shared; public class " + module.replace('.', '_') + " {}"));
    }
    jars.jar(directory.resolve("plugin.jar"), PluginJars.good("two-halves"));
  }

  /// Declares a key that good-dir has, with another default.
  private static void disagreeing(PluginJars jars, Path plugins) {
    PluginJars.Source source =
        PluginJars.metricsPlugin("zz-disagrees", "", "return null;", "")
            .file(
                "test/zz_disagrees/TestProvider.java",
                """
                package test.zz_disagrees;
                import io.takhin.api.*;
                import io.takhin.api.config.Key;
                public final class TestProvider
                    implements io.takhin.api.metrics.MetricsProvider<TestProvider.Config> {
                  record Config(
                      @Key(value = "good-dir.text", defaultValue = "y", doc = "T.") String text) {}
                  public String name() { return "zz"; }
                  public Class<Config> configType() { return Config.class; }
                  public Service create(Config config, PluginContext context) { return null; }
                }
                """);
    jars.jar(plugins.resolve("zz-disagrees.jar"), source);
  }

  /// A library that is no module, so that its absence shows only when its class is needed.
  private static void missingClass(PluginJars jars, Path plugins) {
    Path library =
        jars.jar(
            home.resolve("work/plain-lib.jar"),
            new PluginJars.Source()
                .file("plainlib/Plain.java", "package plainlib; public class Plain {}"));
    Path user =
        jars.jar(
            plugins.resolve("missing-class/user-lib.jar"),
            new PluginJars.Source()
                .file("module-info.java", "module user.lib { requires plain.lib; exports u; }")
                .file("u/U.java", "package u; public class U { Object o = new plainlib.Plain(); }")
                .against(library));
    // Without its descriptor the user becomes an automatic module, which requires nothing.
    try {
      Path stripped = home.resolve("work/stripped");
      Files.createDirectories(stripped);
      PluginJars.javac(
          List.of(
              "-proc:none",
              "-d",
              stripped.toString(),
              "-cp",
              library.toString(),
              home.resolve("work").resolve(lastBuild()).resolve("src/u/U.java").toString()));
      Files.delete(user);
      PluginJars.pack(stripped, user);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    jars.jar(
        plugins.resolve("missing-class/plugin.jar"),
        PluginJars.metricsPlugin(
                "missing-class", "requires user.lib;", "new u.U(); return null;", "")
            .against(user));
  }

  private static String lastBuild() throws IOException {
    try (var builds = Files.list(home.resolve("work"))) {
      return builds
          .map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith("build-"))
          .max(java.util.Comparator.comparingInt(name -> Integer.parseInt(name.substring(6))))
          .orElseThrow();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          bundles-api        | takhin-api.jar brings the module io.takhin.api | scope 'provided'
          wrong-api          | made for API 7.3, and this is API 0.1          | build of wrong-api for API 0.1
          missing-library    | module some.library, which test.missing_library requires, is missing | Put the jar of some.library into
          missing-jdk-module | JDK module jdk.imagined                        | --add-modules ALL-SYSTEM
          two-halves      | shared                                         | merge the jars that share it
          throws-in-create   | its create threw java.lang.IllegalStateException: boom in create | report it to its author
          throws-in-start    | its start threw java.lang.IllegalStateException: boom in start | report it to its author
          user-error         | port 9 is taken: set user-error.text           | ''
          needs-native       | IllegalCallerException                         | native-access=<its module>
          native-typo        | native access for no.such.module               | Its modules are test.native_typo
          not-a-jar.jar      | not-a-jar.jar is not a jar                     | Copy the jar again
          twin               | another plugin has the same name               | Remove the one
          unknown-key.jar    | unknown key 'nativ-access'                     | The keys of META-INF/takhin-plugin.properties are
          no-version.jar     | lacks the key 'version'                        | Add version=
          library.jar        | none of its jars has a descriptor              | move it into the directory of the plugin that needs it
          empty              | has no jar                                     | Put the plugin's jars there
          provides-nothing   | provides nothing that this kernel knows        | MetricsProvider
          zz-disagrees       | good-dir.text with default 'y' instead of 'x'  | config record
          missing-class      | NoClassDefFoundError                           | plainlib.Plain
          """)
  void isRefusedByNameWithItsRemedy(String plugin, String reason, String remedy) {
    Refusal refusal = test.refusal(plugin);
    assertTrue(refusal.reason().contains(reason), refusal.line());
    assertTrue(refusal.remedy().contains(remedy), refusal.line());
    assertTrue(refusal.location().startsWith(home.resolve("plugins")), refusal.line());
  }

  @Test
  void bothTwinsAreRefusedBecauseNobodyKnowsWhichIsMeant() {
    assertEquals(
        2, test.kernel.refusals().stream().filter(each -> each.plugin().equals("twin")).count());
  }

  @Test
  void theGoodOnesRunOn() {
    assertEquals("xVERY_SAFE", System.getProperty("test.good-dir"));
    assertEquals("xVERY_SAFE", System.getProperty("test.good-single"));
    assertEquals("Started", test.state("good-dir"));
    assertNull(System.getProperty("test.twin"));
  }

  @Test
  void whatFailedAtStartIsClosed() {
    assertEquals("yes", System.getProperty("test.closed.throws-in-start"));
    assertEquals("Failed", test.state("throws-in-start"));
  }

  @Test
  void thisRunsOnTheModulePathAndPluginsInLayersOfTheirOwn() {
    assertEquals("io.takhin.kernel", Kernel.class.getModule().getName());
    assertEquals(ModuleLayer.boot(), Kernel.class.getModule().getLayer());
    List<ModuleLayer> layers =
        test.kernel.plugins().stream()
            .filter(plugin -> plugin.name().startsWith("good"))
            .map(plugin -> plugin.layer().layer())
            .toList();
    assertEquals(2, layers.stream().distinct().count());
    assertTrue(layers.getFirst().findModule("test.good_dir").isPresent());
    assertTrue(ModuleLayer.boot().findModule("test.good_dir").isEmpty());
    assertEquals(List.of(ModuleLayer.boot()), layers.getFirst().parents());
  }

  @Test
  void healthSaysDegradedAndNamesEachRefusedPlugin() {
    var report = test.kernel.health().report();
    assertTrue(report.ready());
    assertEquals("DEGRADED", report.status().name());
    assertTrue(report.components().containsKey("plugin wrong-api"));
  }
}
