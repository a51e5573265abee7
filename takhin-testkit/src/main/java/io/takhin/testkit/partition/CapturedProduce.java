package io.takhin.testkit.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.storage.LogAppend.Origin;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// A produce whose outcome a test can look at and wait for. A second outcome is a defect.
///
/// Threading: any thread.
public final class CapturedProduce extends PartitionAppend {
  private final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
  private volatile @Nullable Outcome second;

  /// A produce of a client.
  public CapturedProduce(ByteBuffer records, int acks, int timeoutMs) {
    this(records, acks, timeoutMs, Origin.CLIENT);
  }

  /// A produce.
  public CapturedProduce(ByteBuffer records, int acks, int timeoutMs, Origin origin) {
    super(records, (short) acks, timeoutMs, origin);
  }

  /// Appends with `acks=-1` and a timeout of 30 s.
  public static CapturedProduce append(Partition partition, ByteBuffer records) {
    return append(partition, records, -1, 30_000);
  }

  /// Appends.
  public static CapturedProduce append(
      Partition partition, ByteBuffer records, int acks, int timeoutMs) {
    CapturedProduce produce = new CapturedProduce(records, acks, timeoutMs);
    partition.append(produce);
    return produce;
  }

  @Override
  public void done(
      ErrorCode error,
      long baseOffset,
      long logAppendTimeMs,
      long logStartOffset,
      @Nullable String message) {
    Outcome told = new Outcome(error, baseOffset, logAppendTimeMs, logStartOffset, message);
    if (!outcome.complete(told)) {
      second = told;
    }
  }

  /// Whether the outcome is known.
  public boolean isDone() {
    return outcome.isDone();
  }

  /// The outcome; fails after ten seconds, and if there was a second one.
  public Outcome await() {
    try {
      Outcome first = outcome.get(10, TimeUnit.SECONDS);
      Outcome again = second;
      if (again != null) {
        throw new AssertionError("two outcomes: " + first + " and " + again);
      }
      return first;
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError("no outcome", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  /// What [PartitionAppend#done] was told.
  public record Outcome(
      ErrorCode error,
      long baseOffset,
      long logAppendTimeMs,
      long logStartOffset,
      @Nullable String message) {}
}
