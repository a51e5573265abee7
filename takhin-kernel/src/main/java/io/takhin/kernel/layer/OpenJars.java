package io.takhin.kernel.layer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarFile;

/// Keeps the plugins' jars open during a start. The JDK reads the directory of a jar when it is
/// opened, and shares it with whoever opens the same file meanwhile: those who look for a
/// descriptor, for modules and for the first class would read 20,000 entries each.
///
/// Threading: the main thread.
///
/// @see "docs/adr/0168-jars-are-read-once.md"
public final class OpenJars implements AutoCloseable {
  private final List<JarFile> jars = new ArrayList<>();

  /// None yet.
  public OpenJars() {}

  /// Opens one, until all are closed.
  JarFile open(Path path) throws IOException {
    JarFile jar = new JarFile(path.toFile());
    jars.add(jar);
    return jar;
  }

  /// Closes them; may be called again.
  @Override
  public void close() throws IOException {
    for (JarFile jar : jars) {
      jar.close();
    }
    jars.clear();
  }
}
