package io.takhin.testkit.storage;

import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
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
  private final long verification;
  private final int transactionVersion;
  private int highestSequence = Integer.MAX_VALUE;

  /// An append of whole batches.
  public CapturedAppend(ByteBuffer records, int leaderEpoch, Origin origin) {
    this(records, leaderEpoch, origin, 0, 0);
  }

  /// An append of a client's batch that may open a transaction.
  ///
  /// @param verification the token that it brings
  public CapturedAppend(ByteBuffer records, long verification) {
    this(records, 0, Origin.CLIENT, verification, 0);
  }

  private CapturedAppend(
      ByteBuffer records, int leaderEpoch, Origin origin, long verification, int version) {
    super(records, leaderEpoch, origin);
    this.verification = verification;
    this.transactionVersion = version;
  }

  /// An append of a client's batch that may open a transaction.
  ///
  /// @param verification the token that it brings
  /// @param highestSequence the highest with which it may
  public static CapturedAppend beginning(
      ByteBuffer records, long verification, int highestSequence) {
    CapturedAppend append = new CapturedAppend(records, verification);
    append.highestSequence = highestSequence;
    return append;
  }

  /// Appends a batch that may open a transaction, verified, and waits for the outcome.
  public static AppendResult verified(PartitionLog log, ByteBuffer records) {
    long producerId = RecordBatch.producerId(records, records.position());
    long token =
        log.beginVerification(producerId, RecordBatch.producerEpoch(records, records.position()));
    CapturedAppend append = new CapturedAppend(records, token);
    log.append(append);
    AppendResult outcome = append.await();
    log.endVerification(producerId, token);
    return outcome;
  }

  /// Ends a transaction and waits for the outcome.
  public static AppendResult end(
      PartitionLog log,
      long producerId,
      int epoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    ByteBuffer marker =
        TransactionMarker.batch(producerId, (short) epoch, coordinatorEpoch, commit, 2000);
    CapturedAppend append =
        new CapturedAppend(marker, 0, Origin.COORDINATOR, 0, transactionVersion);
    log.append(append);
    return append.await();
  }

  @Override
  public long verification() {
    return verification;
  }

  @Override
  public int highestSequence() {
    return highestSequence;
  }

  @Override
  public int transactionVersion() {
    return transactionVersion;
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
