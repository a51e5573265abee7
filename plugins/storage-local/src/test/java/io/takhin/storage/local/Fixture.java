package io.takhin.storage.local;

import io.takhin.api.codec.Codecs;
import io.takhin.api.storage.LogConfig;
import io.takhin.testkit.TestContext;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;

/// Storages over a temporary directory, on real threads.
final class Fixture implements AutoCloseable {
  private final Path directory;
  private final Disk disk;
  private final List<TestContext> contexts = new ArrayList<>();

  Fixture(Path directory, Disk disk) {
    this.directory = directory;
    this.disk = disk;
  }

  static LocalStorageConfig config(Path directory) {
    return new LocalStorageConfig(
        directory,
        1 << 30,
        168,
        0,
        300_000,
        1000,
        10_000,
        true,
        1 << 20,
        "relaxed",
        64,
        86_400_000);
  }

  LocalLogStorage start() {
    return start(config(directory));
  }

  /// With a clock that stands still: nothing happens in the background.
  LocalLogStorage startStill() {
    return start(config(directory), TestContext.simulated());
  }

  LocalLogStorage start(LocalStorageConfig config) {
    return start(config, TestContext.real());
  }

  private LocalLogStorage start(LocalStorageConfig config, TestContext.Builder builder) {
    TestContext context =
        builder.pluginName("storage-local").service(Codecs.class, new FakeCodecs()).build();
    contexts.add(context);
    LocalLogStorage storage = new LocalLogStorage(config, context, disk);
    storage.start();
    return storage;
  }

  TestContext context() {
    return contexts.getLast();
  }

  LogConfig defaults() {
    return config(directory).logDefaults();
  }

  @Override
  public void close() {
    contexts.forEach(TestContext::close);
  }

  /// Copies a directory that is in use, as a crash would leave it: what is being replaced or goes
  /// away meanwhile is there or not.
  static void copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (DirectoryStream<Path> all = Files.newDirectoryStream(from)) {
      for (Path file : all) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          copy(file, target);
        } else if (!file.toString().endsWith(LogFiles.TEMPORARY)) {
          copyIfThere(file, target);
        }
      }
    }
  }

  private static void copyIfThere(Path file, Path target) throws IOException {
    try {
      Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
    } catch (NoSuchFileException gone) {
      Files.deleteIfExists(target);
    }
  }
}
