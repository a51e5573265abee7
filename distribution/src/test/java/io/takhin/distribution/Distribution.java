package io.takhin.distribution;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/// The tarball, unpacked once for all tests into `target/it`.
final class Distribution {
  /// Unpacked when the first test asks for it.
  private static final class Unpacked {
    static final Path HOME = unpack();
  }

  private Distribution() {}

  private static Path unpack() {
    Path tarball = tarball();
    Path directory = Path.of("target", "it").toAbsolutePath();
    Command.run("rm", "-rf", directory.toString()).succeeded();
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Command.run("tar", "-xzf", tarball.toString(), "-C", directory.toString()).succeeded();
    return directory.resolve("takhin-" + version());
  }

  /// The file that users download.
  static Path tarball() {
    return Path.of(System.getProperty("takhin.tarball"));
  }

  /// The version in its name.
  static String version() {
    return System.getProperty("takhin.version");
  }

  /// The unpacked directory.
  static Path home() {
    return Unpacked.HOME;
  }

  /// The script that people call.
  static String script() {
    return home().resolve("bin/takhin.sh").toString();
  }

  /// The root of the repository.
  static Path repository() {
    return Path.of(System.getProperty("takhin.repository")).toAbsolutePath().normalize();
  }

  /// All jars below a directory of the distribution, by name.
  static Stream<Path> jars(Path directory) {
    try {
      return Files.walk(directory).filter(file -> file.toString().endsWith(".jar")).sorted();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// A new directory for the data of one broker.
  static Path newDirectory(String name) {
    try {
      return Files.createTempDirectory(home().getParent(), name + "-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
