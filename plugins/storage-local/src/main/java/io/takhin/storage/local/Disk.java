package io.takhin.storage.local;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Every file operation of this plugin: the seam where tests and the simulator put a disk that
/// fills up, fails, forgets or tears.
///
/// Threading: any thread. Errors: IOException, [FullException] if there is merely no room.
interface Disk {
  /// Opens a file for reading and writing.
  ///
  /// @param create whether it is made if missing
  File open(Path path, boolean create) throws IOException;

  /// Renames, replacing what is there, in one step.
  void rename(Path from, Path to) throws IOException;

  /// Deletes a file or an empty directory; nothing happens if there is none.
  void delete(Path path) throws IOException;

  /// What a directory holds, in the order of names.
  List<Path> list(Path directory) throws IOException;

  boolean exists(Path path);

  boolean isDirectory(Path path);

  long size(Path path) throws IOException;

  long lastModifiedMs(Path path) throws IOException;

  void createDirectories(Path directory) throws IOException;

  /// Makes names in a directory durable.
  void forceDirectory(Path directory) throws IOException;

  /// Takes the lock that keeps a second process out; null if another one has it.
  @Nullable Closeable lock(Path path) throws IOException;

  long totalBytes(Path directory) throws IOException;

  long usableBytes(Path directory) throws IOException;

  /// Which boot of the machine this is: while it stays the same, the page cache has lost nothing.
  /// Empty if unknown.
  String bootId();

  /// An open file.
  interface File extends Closeable {
    long size() throws IOException;

    /// Fills `target` from `position` on, as far as the file goes.
    ///
    /// @return the bytes read; less than wanted only at the end of the file
    int read(ByteBuffer target, long position) throws IOException;

    /// Writes all of `sources[0..count)` at `position`, in one call to the system if it takes them.
    /// One thread at a time. On an error some of the bytes may be there.
    void write(ByteBuffer[] sources, int count, long position) throws IOException;

    void truncate(long size) throws IOException;

    /// Makes the content durable (fdatasync).
    void force() throws IOException;

    /// Whether reading these bytes finds all of them in memory, as far as can be known without
    /// reading.
    boolean inMemory(long position, int length);

    /// The channel for sendfile; null if this disk has none.
    @Nullable FileChannel channel();

    @Override
    void close() throws IOException;
  }

  /// No room, or no file handles: it heals by itself when somebody makes room.
  final class FullException extends IOException {
    private static final long serialVersionUID = 1L;

    private final boolean handles;

    FullException(String message, @Nullable Throwable cause) {
      this(message, cause, false);
    }

    /// @param handles whether it is file handles that lack
    FullException(String message, @Nullable Throwable cause, boolean handles) {
      super(message, cause);
      this.handles = handles;
    }

    /// Whether it is file handles that lack, and closing others helps.
    boolean handles() {
      return handles;
    }
  }

  /// Reads a whole small file.
  default byte[] readAll(Path path, int maxBytes) throws IOException {
    try (File file = open(path, false)) {
      long size = file.size();
      if (size > maxBytes) {
        throw new IOException(path + " has " + size + " bytes, more than " + maxBytes);
      }
      ByteBuffer content = ByteBuffer.allocate((int) size);
      file.read(content, 0);
      byte[] bytes = new byte[content.position()];
      content.get(0, bytes);
      return bytes;
    }
  }

  /// Replaces a small file in one step, through `path.tmp`.
  ///
  /// @param force whether it is durable on return
  default void replace(Path path, byte[] content, boolean force) throws IOException {
    Path temporary = path.resolveSibling(path.getFileName() + ".tmp");
    try (File file = open(temporary, true)) {
      file.truncate(0);
      file.write(new ByteBuffer[] {ByteBuffer.wrap(content)}, 1, 0);
      if (force) {
        file.force();
      }
    }
    rename(temporary, path);
    if (force) {
      forceDirectory(path.resolveSibling("."));
    }
  }
}
