package io.takhin.storage.local;

import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The real disk.
///
/// Channels are interruptible: a thread that is interrupted in one closes it for everybody, hence
/// nobody in this plugin interrupts threads.
final class FileDisk implements Disk {
  private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");

  @Override
  public File open(Path path, boolean create) throws IOException {
    try {
      FileChannel channel =
          create
              ? FileChannel.open(
                  path,
                  StandardOpenOption.READ,
                  StandardOpenOption.WRITE,
                  StandardOpenOption.CREATE)
              : FileChannel.open(path, StandardOpenOption.READ, StandardOpenOption.WRITE);
      return new ChannelFile(path, channel);
    } catch (IOException e) {
      throw classified(path, e);
    }
  }

  @Override
  public void rename(Path from, Path to) throws IOException {
    try {
      Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw classified(to, e);
    }
  }

  @Override
  public void delete(Path path) throws IOException {
    Files.deleteIfExists(path);
  }

  @Override
  public List<Path> list(Path directory) throws IOException {
    List<Path> found = new ArrayList<>();
    try (var stream = Files.newDirectoryStream(directory)) {
      stream.forEach(found::add);
    } catch (java.nio.file.DirectoryIteratorException e) {
      throw classified(directory, new IOException(e.getMessage(), e));
    } catch (IOException e) {
      throw classified(directory, e);
    }
    Collections.sort(found);
    return found;
  }

  @Override
  public boolean exists(Path path) {
    return Files.exists(path, LinkOption.NOFOLLOW_LINKS);
  }

  @Override
  public boolean isDirectory(Path path) {
    return Files.isDirectory(path);
  }

  @Override
  public long size(Path path) throws IOException {
    return Files.size(path);
  }

  @Override
  public long lastModifiedMs(Path path) throws IOException {
    return Files.getLastModifiedTime(path).toMillis();
  }

  @Override
  public void createDirectories(Path directory) throws IOException {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw classified(directory, e);
    }
  }

  @Override
  public void forceDirectory(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      throw classified(directory, e);
    }
  }

  @Override
  public @Nullable Closeable lock(Path path) throws IOException {
    FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock;
    try {
      lock = channel.tryLock();
    } catch (OverlappingFileLockException e) {
      lock = null; // another broker in this process, as tests have
    } catch (IOException e) {
      channel.close();
      throw e;
    }
    if (lock == null) {
      channel.close();
      return null;
    }
    return channel;
  }

  @Override
  public long totalBytes(Path directory) throws IOException {
    FileStore store = Files.getFileStore(directory);
    return store.getTotalSpace();
  }

  @Override
  public long usableBytes(Path directory) throws IOException {
    FileStore store = Files.getFileStore(directory);
    return store.getUsableSpace();
  }

  @Override
  public String bootId() {
    try {
      return Files.readString(BOOT_ID).strip();
    } catch (IOException e) {
      return ""; // not Linux: every start counts as a new boot, which is only slower
    }
  }

  /// Java does not tell errno: the system's words do, and where they are in another language, the
  /// file system's free space.
  private static IOException classified(Path path, IOException e) {
    if (e instanceof FullException) {
      return e;
    }
    String words = String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT);
    boolean handles = words.contains("too many open files");
    boolean full = handles || words.contains("no space left") || words.contains("quota exceeded");
    if (!full && !words.contains("input/output error")) {
      Path parent = path.toAbsolutePath().getParent();
      try {
        full = parent != null && Files.getFileStore(parent).getUsableSpace() == 0;
      } catch (IOException unknown) {
        e.addSuppressed(unknown);
      }
    }
    return full ? new FullException(path + ": " + e.getMessage(), e, handles) : e;
  }

  private static final class ChannelFile implements File {
    private final Path path;
    private final FileChannel channel;
    private long position = -1;

    ChannelFile(Path path, FileChannel channel) {
      this.path = path;
      this.channel = channel;
    }

    @Override
    public long size() throws IOException {
      return channel.size();
    }

    @Override
    public int read(ByteBuffer target, long from) throws IOException {
      int begin = target.position();
      long at = from;
      while (target.hasRemaining()) {
        int n = channel.read(target, at);
        if (n < 0) {
          break;
        }
        at += n;
      }
      return target.position() - begin;
    }

    @Override
    public void write(ByteBuffer[] sources, int count, long at) throws IOException {
      try {
        if (position != at) {
          channel.position(at);
        }
        position = -1;
        long end = at;
        int first = 0;
        while (first < count) {
          end += channel.write(sources, first, count - first);
          while (first < count && !sources[first].hasRemaining()) {
            first++;
          }
        }
        position = end;
      } catch (IOException e) {
        throw classified(path, e);
      }
    }

    @Override
    public void truncate(long size) throws IOException {
      channel.truncate(size);
      position = -1;
    }

    @Override
    public void force() throws IOException {
      channel.force(false);
    }

    /// Asks mincore(2) through a mapping that nobody reads: about 5 µs for 1 MiB.
    @Override
    public boolean inMemory(long at, int length) {
      try (Arena mapped = Arena.ofConfined()) {
        return channel.map(FileChannel.MapMode.READ_ONLY, at, length, mapped).isLoaded();
      } catch (IOException | UnsupportedOperationException e) {
        LocalLog.LOGGER.debug("cannot see whether {} is in memory: {}", path, e.toString());
        return false; // whoever reads it may wait then, and meets the failure
      }
    }

    @Override
    public FileChannel channel() {
      return channel;
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }
}
