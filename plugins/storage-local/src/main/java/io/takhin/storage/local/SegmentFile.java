package io.takhin.storage.local;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// A segment's file: opened when wanted, closed when the cache needs its handle, kept while
/// anybody uses it. A file that was deleted meanwhile stays readable for those who hold it.
///
/// ```
///           acquire                    acquire, release
/// CLOSED(-1) -----> IN USE(n > 0) <----------------> IDLE(0)
///     ^                                                 |
///     +------------------- CLOSING(-2) <----------------+  tryClose
/// ```
///
/// Threading: any thread. Acquiring an open file is one compare-and-set.
final class SegmentFile {
  private static final int CLOSED = -1;
  private static final int CLOSING = -2;
  private static final VarHandle USERS;

  static {
    try {
      USERS = MethodHandles.lookup().findVarHandle(SegmentFile.class, "users", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final Disk disk;
  private final FileCache cache;
  private volatile Path path;
  private volatile int users = CLOSED;
  private volatile boolean touched;
  private volatile boolean retired;
  private Disk.@Nullable File file;

  SegmentFile(Disk disk, FileCache cache, Path path) {
    this.disk = disk;
    this.cache = cache;
    this.path = path;
  }

  Path path() {
    return path;
  }

  /// The open file, which must be given back by [#release].
  Disk.File acquire() throws IOException {
    while (true) {
      int now = users;
      if (now >= 0) {
        if (USERS.compareAndSet(this, now, now + 1)) {
          touched = true;
          return Objects.requireNonNull(file);
        }
      } else if (now == CLOSING) {
        Thread.onSpinWait();
      } else if (openFirst()) {
        cache.opened(this);
        return Objects.requireNonNull(file);
      }
    }
  }

  private synchronized boolean openFirst() throws IOException {
    if (users != CLOSED) {
      return false;
    }
    if (retired) {
      throw new NoSuchFileException(path + " was deleted");
    }
    try {
      file = disk.open(path, true);
    } catch (Disk.FullException e) {
      if (!e.handles()) {
        throw e;
      }
      cache.shrink();
      file = disk.open(path, true);
    }
    touched = true;
    users = 1;
    return true;
  }

  void release() {
    int before = (int) USERS.getAndAdd(this, -1);
    if (before == 1 && retired) {
      try {
        tryClose();
      } catch (IOException e) {
        // a handle of a file that is deleted anyway: nothing is lost
        LocalLog.LOGGER.debug("closing {}: {}", path, e.toString());
      }
    }
  }

  /// The file is about to be renamed and will be deleted: closed as soon as nobody uses it, and
  /// never opened again, for that would make it anew under its old name.
  void retire(Path renamed) throws IOException {
    synchronized (this) { // waits for one who opens it
      path = renamed;
      retired = true;
    }
    tryClose();
  }

  boolean retired() {
    return retired && users == CLOSED;
  }

  /// Whether it was used since the last call.
  boolean forgetTouch() {
    boolean was = touched;
    touched = false;
    return was;
  }

  /// Closes the file if nobody uses it.
  boolean tryClose() throws IOException {
    if (users == CLOSED) {
      return true;
    }
    if (!USERS.compareAndSet(this, 0, CLOSING)) {
      return false;
    }
    Disk.File closing = Objects.requireNonNull(file);
    file = null;
    users = CLOSED;
    closing.close();
    return true;
  }
}
