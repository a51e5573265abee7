package io.takhin.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/// What was built, as the build wrote it down.
///
/// @param version such as `0.1.0`
/// @param commit short hash, or `unknown`
record Version(String version, String commit) {
  private static final String RESOURCE = "version.properties";

  /// This build.
  static Version current() {
    Properties properties = new Properties();
    try (InputStream in = Version.class.getResourceAsStream(RESOURCE)) {
      if (in != null) {
        properties.load(in);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Version(
        properties.getProperty("version", "unknown"), properties.getProperty("commit", "unknown"));
  }

  @Override
  public String toString() {
    return "Takhin version v" + version + " (commit: " + commit + ")";
  }
}
