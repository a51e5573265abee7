package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.storage.LogAppend.Origin;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A transaction's marker on its way into the log.
final class MarkerAppend extends PartitionAppend {
  private static final int TIMEOUT_MS = 30_000;
  private static final short ALL_IN_SYNC = -1;

  private final CompletableFuture<ErrorCode> outcome = new CompletableFuture<>();
  private final int transactionVersion;

  MarkerAppend(ByteBuffer marker, int transactionVersion) {
    super(marker, ALL_IN_SYNC, TIMEOUT_MS, Origin.COORDINATOR);
    this.transactionVersion = transactionVersion;
  }

  CompletableFuture<ErrorCode> outcome() {
    return outcome;
  }

  @Override
  public int transactionVersion() {
    return transactionVersion;
  }

  @Override
  public void done(
      ErrorCode error,
      long baseOffset,
      long logAppendTimeMs,
      long logStartOffset,
      @Nullable String message) {
    outcome.complete(error);
  }
}
