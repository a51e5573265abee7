package io.takhin.storage.local;

import io.takhin.api.PluginContext;
import io.takhin.api.storage.LogStorage;
import io.takhin.testkit.simulation.SimulatedDisk;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The plugin's storage with another disk behind its seam. It stands in the plugin's package
/// because the seam is nobody else's business; tests of the distribution run on the class path.
public final class StorageOnSimulatedDisk {
  private StorageOnSimulatedDisk() {}

  /// The storage, not started.
  public static LogStorage create(
      LocalStorageConfig config, PluginContext context, SimulatedDisk disk) {
    return new LocalLogStorage(config, context, new Seam(disk));
  }

  private interface Operation<T> {
    T run() throws IOException;
  }

  private static <T> T classified(Operation<T> operation) throws IOException {
    try {
      return operation.run();
    } catch (SimulatedDisk.NoSpaceException e) {
      throw new Disk.FullException(String.valueOf(e.getMessage()), e);
    }
  }

  private record Seam(SimulatedDisk disk) implements Disk {
    @Override
    public File open(Path path, boolean create) throws IOException {
      return new SeamFile(disk.open(path, create));
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      disk.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
      disk.delete(path);
    }

    @Override
    public List<Path> list(Path directory) throws IOException {
      return disk.list(directory);
    }

    @Override
    public boolean exists(Path path) {
      return disk.exists(path);
    }

    @Override
    public boolean isDirectory(Path path) {
      return disk.isDirectory(path);
    }

    @Override
    public long size(Path path) throws IOException {
      return disk.size(path);
    }

    @Override
    public long lastModifiedMs(Path path) throws IOException {
      return disk.lastModifiedMs(path);
    }

    @Override
    public void createDirectories(Path directory) throws IOException {
      disk.createDirectories(directory);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
      disk.forceDirectory(directory);
    }

    @Override
    public @Nullable Closeable lock(Path path) {
      return disk.lock(path) ? () -> disk.unlock(path) : null;
    }

    @Override
    public long totalBytes(Path directory) {
      return disk.totalBytes();
    }

    @Override
    public long usableBytes(Path directory) {
      return disk.usableBytes();
    }

    @Override
    public String bootId() {
      return disk.bootId();
    }
  }

  private record SeamFile(SimulatedDisk.OpenFile file) implements Disk.File {
    @Override
    public long size() {
      return file.size();
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      return file.read(target, position);
    }

    @Override
    public void write(ByteBuffer[] sources, int count, long position) throws IOException {
      classified(
          () -> {
            file.write(sources, count, position);
            return true;
          });
    }

    @Override
    public void truncate(long size) throws IOException {
      file.truncate(size);
    }

    @Override
    public void force() throws IOException {
      file.force();
    }

    @Override
    public boolean inMemory(long position, int length) {
      return true;
    }

    @Override
    public @Nullable FileChannel channel() {
      return null;
    }

    @Override
    public void close() {}
  }
}
