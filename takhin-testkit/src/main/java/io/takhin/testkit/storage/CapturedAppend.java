package io.takhin.testkit.storage;

import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.PartitionLog;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// An append whose outcome a test can wait for.
///
/// Threading: any thread.
public final class CapturedAppend extends LogAppend {
  private final CompletableFuture<AppendResult> result = new CompletableFuture<>();

  /// An append of whole batches.
  public CapturedAppend(ByteBuffer records, int leaderEpoch, Origin origin) {
    super(records, leaderEpoch, origin);
  }

  /// Appends as a client under leader epoch 0 and waits for the outcome.
  public static AppendResult append(PartitionLog log, ByteBuffer records) {
    return append(log, records, 0, Origin.CLIENT);
  }

  /// Appends and waits for the outcome.
  public static AppendResult append(
      PartitionLog log, ByteBuffer records, int leaderEpoch, Origin origin) {
    CapturedAppend append = new CapturedAppend(records, leaderEpoch, origin);
    log.append(append);
    return append.await();
  }

  /// Appends as a client under leader epoch 0, and fails unless it was written.
  ///
  /// @return the base offset
  public static long appended(PartitionLog log, ByteBuffer records) {
    AppendResult result = append(log, records);
    if (result instanceof Appended appended) {
      return appended.baseOffset();
    }
    throw new AssertionError("not appended: " + result);
  }

  @Override
  public void appended(AppendResult outcome) {
    if (!result.complete(outcome)) {
      throw new AssertionError("two outcomes: " + result.join() + " and " + outcome);
    }
  }

  /// Whether the outcome is known.
  public boolean done() {
    return result.isDone();
  }

  /// The outcome; fails after ten seconds.
  public AppendResult await() {
    try {
      return result.get(10, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("no outcome", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }
}
