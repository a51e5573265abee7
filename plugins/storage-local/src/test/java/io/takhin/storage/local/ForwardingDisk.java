package io.takhin.storage.local;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A disk that does what another one does; tests override what they want to go wrong.
class ForwardingDisk implements Disk {
  /// The disk that does it.
  final Disk disk;

  ForwardingDisk(Disk disk) {
    this.disk = disk;
  }

  @Override
  public File open(Path path, boolean create) throws IOException {
    return disk.open(path, create);
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
  public @Nullable Closeable lock(Path path) throws IOException {
    return disk.lock(path);
  }

  @Override
  public long totalBytes(Path directory) throws IOException {
    return disk.totalBytes(directory);
  }

  @Override
  public long usableBytes(Path directory) throws IOException {
    return disk.usableBytes(directory);
  }

  @Override
  public String bootId() {
    return disk.bootId();
  }

  /// An open file that does what another one does.
  static class ForwardingFile implements File {
    /// The file that does it.
    final File file;

    ForwardingFile(File file) {
      this.file = file;
    }

    @Override
    public long size() throws IOException {
      return file.size();
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      return file.read(target, position);
    }

    @Override
    public void write(ByteBuffer[] sources, int count, long position) throws IOException {
      file.write(sources, count, position);
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
      return file.inMemory(position, length);
    }

    @Override
    public @Nullable FileChannel channel() {
      return file.channel();
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
