package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/// What lies in the tarball, and that its papers are in order.
class TarballIT {
  private static final Path HOME = Distribution.home();

  @Test
  void everythingIsInItsPlace() {
    for (String file :
        Set.of(
            "bin/takhin.sh",
            "configs/takhin.yaml",
            "configs/high-throughput.yaml",
            "configs/low-latency.yaml",
            "systemd/takhin.service",
            "README.md",
            "LICENSE",
            "NOTICE",
            "THIRD-PARTY.txt")) {
      assertTrue(Files.isRegularFile(HOME.resolve(file)), file);
    }
    assertTrue(Files.isExecutable(HOME.resolve("bin/takhin.sh")));
    Set<String> boot =
        Distribution.jars(HOME.resolve("lib"))
            .map(jar -> jar.getFileName().toString().replaceFirst("-[0-9].*", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(
        new TreeSet<>(
            Set.of(
                "jul-to-slf4j",
                "logback-classic",
                "logback-core",
                "slf4j-api",
                "snakeyaml-engine",
                "takhin-api",
                "takhin-kernel")),
        boot);
  }

  @Test
  void everyPluginOfTheRepositoryHasItsDirectoryWithOneDescriptor() throws IOException {
    Set<String> built;
    try (Stream<Path> plugins = Files.list(Distribution.repository().resolve("plugins"))) {
      built =
          plugins
              .filter(
                  plugin ->
                      Files.exists(
                          plugin.resolve("src/main/resources/META-INF/takhin-plugin.properties")))
              .map(plugin -> plugin.getFileName().toString())
              .filter(name -> !name.startsWith("example-"))
              .collect(Collectors.toCollection(TreeSet::new));
    }
    Set<String> shipped;
    try (Stream<Path> plugins = Files.list(HOME.resolve("plugins"))) {
      shipped =
          plugins
              .map(plugin -> plugin.getFileName().toString())
              .collect(Collectors.toCollection(TreeSet::new));
    }
    assertEquals(built, shipped);
    Set<String> boot =
        Distribution.jars(HOME.resolve("lib"))
            .map(jar -> jar.getFileName().toString())
            .collect(Collectors.toSet());
    for (String plugin : shipped) {
      int descriptors = 0;
      for (Path jar : Distribution.jars(HOME.resolve("plugins").resolve(plugin)).toList()) {
        assertTrue(!boot.contains(jar.getFileName().toString()), () -> jar + " is in lib/ as well");
        try (JarFile file = new JarFile(jar.toFile())) {
          var entry = file.getEntry("META-INF/takhin-plugin.properties");
          if (entry != null) {
            descriptors++;
            Properties descriptor = new Properties();
            descriptor.load(file.getInputStream(entry));
            assertEquals(plugin, descriptor.getProperty("name"));
          }
        }
      }
      assertEquals(1, descriptors, plugin);
    }
  }

  @Test
  void everyJarOfOthersIsListedWithItsLicence() throws IOException {
    Set<String> listed =
        Files.readString(HOME.resolve("THIRD-PARTY.txt"))
            .lines()
            .filter(line -> line.contains(".jar"))
            .map(line -> line.substring(0, line.indexOf(".jar") + 4).strip())
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> shipped =
        Distribution.jars(HOME)
            .map(jar -> jar.getFileName().toString())
            .filter(name -> !name.startsWith("takhin-"))
            .collect(Collectors.toCollection(TreeSet::new));
    assertEquals(shipped, listed, "run scripts/third-party.sh");
  }

  @Test
  void theSystemdUnitIsWellFormed() throws IOException {
    Assumptions.assumeTrue(Command.installed("systemd-analyze"), "no systemd-analyze here");
    // Verification wants the program to exist, so the copy names the unpacked one.
    String unit =
        Files.readString(HOME.resolve("systemd/takhin.service"))
            .replace("/opt/takhin", HOME.toString());
    Path copy = Distribution.newDirectory("systemd").resolve("takhin.service");
    Files.writeString(copy, unit);
    Command verify =
        Command.run("systemd-analyze", "verify", "--recursive-errors=no", copy.toString());
    assertEquals(0, verify.code(), verify::all);
    assertEquals("", verify.all().strip());
    Command security =
        Command.run(
            "systemd-analyze", "security", "--offline=yes", "--threshold=25", copy.toString());
    assertEquals(0, security.code(), security::all);
  }

  @Test
  void theConfigurationReferenceIsUpToDate() throws IOException {
    // Without a locale, as cron and CI have it: what is printed is UTF-8 all the same.
    String generated =
        Command.run("env", "LC_ALL=C", Distribution.script(), "-config-reference")
            .succeeded()
            .out();
    assertEquals(
        Files.readString(Distribution.repository().resolve("docs/configuration.md")),
        generated,
        "run scripts/docs.sh");
  }
}
