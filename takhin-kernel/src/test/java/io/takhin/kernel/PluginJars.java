package io.takhin.kernel;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.jar.JarOutputStream;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import org.jspecify.annotations.Nullable;

/// Compiles small plugins from text and packs them, as a stranger's build would.
final class PluginJars {
  private final Path work;
  private int number;

  PluginJars(Path work) {
    this.work = work;
  }

  /// A plugin in the making.
  static final class Source {
    private final Map<String, String> files = new LinkedHashMap<>();
    private final List<Path> modulePath = new ArrayList<>();
    private @Nullable String descriptor;

    /// A source file, by its path.
    Source file(String path, String text) {
      files.put(path, text);
      return this;
    }

    /// The descriptor's text.
    Source descriptor(String text) {
      descriptor = text;
      return this;
    }

    /// A well-formed descriptor.
    Source named(String name) {
      return descriptor(descriptorOf(name));
    }

    /// A jar to compile against.
    Source against(Path jar) {
      modulePath.add(jar);
      return this;
    }
  }

  static String descriptorOf(String name) {
    return "name=" + name + "\nversion=1.0\napi-version=0.1\ndescription=A test plugin\n";
  }

  /// A plugin that provides metrics, whose service is the given class body.
  static Source metricsPlugin(String name, String requires, String createBody, String classes) {
    String module = "test." + name.replace('-', '_');
    String path = module.replace('.', '/');
    return new Source()
        .named(name)
        .file(
            "module-info.java",
            """
            module %1$s {
              requires io.takhin.api;
              %2$s
              provides io.takhin.api.metrics.MetricsProvider with %1$s.TestProvider;
            }
            """
                .formatted(module, requires))
        .file(
            path + "/TestProvider.java",
            """
            package %1$s;
            import io.takhin.api.*;
            import io.takhin.api.config.Key;
            public final class TestProvider
                implements io.takhin.api.metrics.MetricsProvider<TestProvider.Config> {
              enum Mode { FAST, VERY_SAFE }
              record Config(
                  @Key(value = "%2$s.text", defaultValue = "x", doc = "Text.") String text,
                  @Key(value = "%2$s.mode", defaultValue = "very-safe", doc = "M.") Mode mode) {}
              public String name() { return "%2$s"; }
              public Class<Config> configType() { return Config.class; }
              public Service create(Config config, PluginContext context) {
                %3$s
              }
            }
            %4$s
            """
                .formatted(module, name, createBody, classes));
  }

  /// One that works, and says so in a system property of its name.
  static Source good(String name) {
    return metricsPlugin(
        name,
        "",
        """
        return new Service() {
          public void start() { System.setProperty("test.%1$s", config.text() + config.mode()); }
          public void close() { System.clearProperty("test.%1$s"); }
        };
        """
            .formatted(name),
        "");
  }

  /// Compiles and packs.
  Path jar(Path jar, Source source) {
    try {
      Path root = Files.createDirectories(work.resolve("build-" + number++));
      Path classes = Files.createDirectories(root.resolve("classes"));
      List<String> arguments = new ArrayList<>();
      String path = apiPath();
      for (Path extra : source.modulePath) {
        path = extra + java.io.File.pathSeparator + path;
      }
      arguments.addAll(List.of("-proc:none", "-d", classes.toString(), "-p", path));
      for (Map.Entry<String, String> file : source.files.entrySet()) {
        Path to = root.resolve("src").resolve(file.getKey());
        Files.createDirectories(to.getParent());
        Files.writeString(to, file.getValue());
        arguments.add(to.toString());
      }
      if (!source.files.isEmpty()) {
        javac(arguments);
      }
      if (source.descriptor != null) {
        Path to = classes.resolve("META-INF/takhin-plugin.properties");
        Files.createDirectories(to.getParent());
        Files.writeString(to, source.descriptor);
      }
      Files.createDirectories(jar.getParent());
      pack(classes, jar);
      return jar;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void javac(List<String> arguments) {
    StringWriter said = new StringWriter();
    PrintWriter out = new PrintWriter(said);
    int exitCode =
        ToolProvider.findFirst("javac")
            .orElseThrow()
            .run(out, out, arguments.toArray(String[]::new));
    if (exitCode != 0) {
      throw new AssertionError("javac " + arguments + "\n" + said);
    }
  }

  static void pack(Path classes, Path jar) throws IOException {
    try (OutputStream file = Files.newOutputStream(jar);
        JarOutputStream out = new JarOutputStream(file);
        Stream<Path> files = Files.walk(classes)) {
      for (Path each : files.filter(Files::isRegularFile).sorted().toList()) {
        out.putNextEntry(new ZipEntry(classes.relativize(each).toString().replace('\\', '/')));
        Files.copy(each, out);
        out.closeEntry();
      }
    }
  }

  /// What takhin-api brings to whoever compiles against it.
  static String apiPath() {
    return apiJar() + java.io.File.pathSeparator + entry("jspecify");
  }

  /// takhin-api, as this test runs with it.
  static Path apiJar() {
    return entry("takhin-api");
  }

  private static Path entry(String part) {
    return Stream.of(
            System.getProperty("jdk.module.path", "").split(java.io.File.pathSeparator, -1))
        .filter(entry -> entry.contains(part))
        .map(Path::of)
        .findFirst()
        .orElseThrow();
  }
}
