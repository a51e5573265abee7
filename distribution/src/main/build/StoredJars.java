import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Enumeration;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/// Writes jars anew with their entries stored instead of compressed: a start reads thousands of
/// classes, and a tenth of its CPU went into inflating them. The tarball compresses them again.
///
/// Run by the build as a source file, with the jars as arguments. See ADR 167.
final class StoredJars {
  private StoredJars() {}

  public static void main(String[] jars) {
    Arrays.stream(jars).parallel().map(Path::of).forEach(StoredJars::store);
  }

  private static void store(Path jar) {
    Path made = jar.resolveSibling(jar.getFileName() + ".stored");
    try {
      try (ZipFile from = new ZipFile(jar.toFile());
          OutputStream file = Files.newOutputStream(made);
          ZipOutputStream to = new ZipOutputStream(file)) {
        to.setMethod(ZipOutputStream.STORED);
        for (Enumeration<? extends ZipEntry> all = from.entries(); all.hasMoreElements(); ) {
          copy(from, all.nextElement(), to);
        }
      }
      Files.setLastModifiedTime(made, Files.getLastModifiedTime(jar));
      Files.move(made, jar, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("the jar " + jar + " cannot be stored", e);
    }
  }

  private static void copy(ZipFile from, ZipEntry entry, ZipOutputStream to) throws IOException {
    byte[] bytes = from.getInputStream(entry).readAllBytes();
    ZipEntry stored = new ZipEntry(entry.getName());
    stored.setTime(entry.getTime());
    stored.setSize(bytes.length);
    stored.setCompressedSize(bytes.length);
    stored.setCrc(entry.getCrc());
    to.putNextEntry(stored);
    to.write(bytes);
    to.closeEntry();
  }
}
