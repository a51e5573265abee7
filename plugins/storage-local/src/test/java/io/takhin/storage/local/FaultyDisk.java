package io.takhin.storage.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A real disk whose writes to segments can be cut short, and whose fsync can fail.
final class FaultyDisk extends ForwardingDisk {

  /// Bytes that segments may still take; then writes stop in the middle with ENOSPC.
  volatile long room = Long.MAX_VALUE;

  /// What the next write to a segment throws.
  volatile @Nullable IOException writeError;

  /// What every fsync throws.
  volatile @Nullable IOException forceError;

  /// What happens while the next fsync is under way.
  volatile @Nullable Runnable duringForce;

  /// What every truncation throws.
  volatile @Nullable IOException truncateError;

  /// The end of the name of a file that cannot be renamed.
  volatile @Nullable String cannotRename;

  /// The end of the name of files that no write has room for.
  volatile @Nullable String noRoomFor;

  /// How many changes to the disk there is room for: files made, writes, renames, directories.
  volatile int changesWithRoom = Integer.MAX_VALUE;

  /// How many files are open.
  final java.util.concurrent.atomic.AtomicInteger openFiles =
      new java.util.concurrent.atomic.AtomicInteger();

  volatile String boot = "boot-1";

  /// Bytes that were read from all files.
  final java.util.concurrent.atomic.LongAdder bytesRead =
      new java.util.concurrent.atomic.LongAdder();

  /// Bytes that were written to segments.
  final java.util.concurrent.atomic.LongAdder segmentBytesWritten =
      new java.util.concurrent.atomic.LongAdder();

  FaultyDisk() {
    super(new FileDisk());
  }

  private void change(Path path) throws FullException {
    int left = changesWithRoom;
    if (left == Integer.MAX_VALUE) {
      return;
    }
    if (left == 0) {
      throw new FullException(path + ": No space left on device", null);
    }
    changesWithRoom = left - 1;
  }

  @Override
  public File open(Path path, boolean create) throws IOException {
    if (create && !disk.exists(path)) {
      change(path);
    }
    File opened = disk.open(path, create);
    openFiles.incrementAndGet();
    return new FaultyFile(opened, path);
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    change(directory);
    disk.createDirectories(directory);
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    change(to);
    String suffix = cannotRename;
    if (suffix != null && from.toString().endsWith(suffix)) {
      throw new IOException(from + ": Input/output error");
    }
    disk.rename(from, to);
  }

  @Override
  public void forceDirectory(Path directory) {}

  @Override
  public String bootId() {
    return boot;
  }

  private final class FaultyFile extends ForwardingFile {
    private final Path path;
    private final boolean segment;

    FaultyFile(File file, Path path) {
      super(file);
      this.path = path;
      this.segment = path.toString().endsWith(LogFiles.LOG);
    }

    @Override
    public void close() throws IOException {
      openFiles.decrementAndGet();
      file.close();
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
      int read = file.read(target, position);
      bytesRead.add(read);
      return read;
    }

    @Override
    public void write(ByteBuffer[] sources, int count, long position) throws IOException {
      change(path);
      String full = noRoomFor;
      if (full != null && path.toString().endsWith(full)) {
        throw new FullException("No space left on device", null);
      }
      if (!segment) {
        file.write(sources, count, position);
        return;
      }
      long size = 0;
      for (int i = 0; i < count; i++) {
        size += sources[i].remaining();
      }
      segmentBytesWritten.add(size);
      IOException error = writeError;
      long taken = error != null ? size / 2 : Math.min(size, room);
      long at = position;
      long left = taken;
      for (int i = 0; i < count; i++) {
        int part = (int) Math.min(left, sources[i].remaining());
        ByteBuffer piece = sources[i].slice(sources[i].position(), part);
        sources[i].position(sources[i].position() + part);
        file.write(new ByteBuffer[] {piece}, 1, at);
        at += part;
        left -= part;
      }
      if (error != null) {
        throw error;
      }
      if (taken < size) {
        throw new FullException("No space left on device", null);
      }
      if (room != Long.MAX_VALUE) {
        room -= taken;
      }
    }

    @Override
    public void truncate(long size) throws IOException {
      IOException error = truncateError;
      if (error != null) {
        throw error;
      }
      file.truncate(size);
    }

    @Override
    public void force() throws IOException {
      Runnable meanwhile = duringForce;
      if (meanwhile != null) {
        duringForce = null;
        meanwhile.run();
      }
      IOException error = forceError;
      if (error != null) {
        throw error;
      }
    }
  }
}
