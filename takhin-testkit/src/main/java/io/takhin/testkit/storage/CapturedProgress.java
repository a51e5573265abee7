package io.takhin.testkit.storage;

import io.takhin.api.storage.LogListener;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A listener that remembers what a log told it, and lets a test wait for it.
///
/// Threading: any thread.
public final class CapturedProgress implements LogListener {
  private long committableEndOffset;
  private long committedBytes;
  private int commits;
  private long logStartOffset;
  private @Nullable String offline;

  /// Nothing told yet.
  public CapturedProgress() {}

  @Override
  public synchronized void committable(long endOffset, long bytes) {
    committableEndOffset = endOffset;
    committedBytes += bytes;
    commits++;
    notifyAll();
  }

  @Override
  public synchronized void logStartAdvanced(long offset) {
    logStartOffset = offset;
    notifyAll();
  }

  @Override
  public synchronized void offline(String reason) {
    offline = reason;
    notifyAll();
  }

  /// The end offset as last told.
  public synchronized long committableEndOffset() {
    return committableEndOffset;
  }

  /// The sum of bytes told.
  public synchronized long committedBytes() {
    return committedBytes;
  }

  /// How often progress was told.
  public synchronized int commits() {
    return commits;
  }

  /// The log start as last told.
  public synchronized long logStartOffset() {
    return logStartOffset;
  }

  /// Why the log is offline; null if it was not told.
  public synchronized @Nullable String offline() {
    return offline;
  }

  /// Waits until all below `endOffset` is committable; fails after ten seconds.
  public synchronized void awaitCommittable(long endOffset) {
    await(() -> committableEndOffset >= endOffset, "committable " + endOffset);
  }

  /// Waits until the log is offline; fails after ten seconds.
  public synchronized void awaitOffline() {
    await(() -> offline != null, "offline");
  }

  private synchronized void await(java.util.function.BooleanSupplier condition, String what) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    try {
      while (!condition.getAsBoolean()) {
        long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
        if (leftMs <= 0) {
          throw new AssertionError("not told in time: " + what);
        }
        wait(leftMs);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
