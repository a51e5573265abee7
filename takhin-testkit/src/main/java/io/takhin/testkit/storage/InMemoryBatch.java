package io.takhin.testkit.storage;

import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// A batch with its offsets assigned, in its own memory.
record InMemoryBatch(ByteBuffer bytes) {
  long baseOffset() {
    return RecordBatch.baseOffset(bytes, 0);
  }

  long lastOffset() {
    return RecordBatch.lastOffset(bytes, 0);
  }

  int leaderEpoch() {
    return RecordBatch.leaderEpoch(bytes, 0);
  }

  long maxTimestampMs() {
    return RecordBatch.maxTimestamp(bytes, 0);
  }

  boolean idempotent() {
    return producerId() != RecordBatch.NO_PRODUCER_ID && !RecordBatch.control(bytes, 0);
  }

  /// What it holds if it ends a transaction; else null.
  @Nullable TransactionMarker marker() {
    return TransactionMarker.read(bytes, 0);
  }

  boolean control() {
    return RecordBatch.control(bytes, 0);
  }

  boolean transactional() {
    return RecordBatch.transactional(bytes, 0);
  }

  long producerId() {
    return RecordBatch.producerId(bytes, 0);
  }

  short producerEpoch() {
    return RecordBatch.producerEpoch(bytes, 0);
  }

  int baseSequence() {
    return RecordBatch.baseSequence(bytes, 0);
  }

  int lastSequence() {
    long last = (long) baseSequence() + RecordBatch.lastOffsetDelta(bytes, 0);
    return (int) (last > Integer.MAX_VALUE ? last - Integer.MAX_VALUE - 1 : last);
  }

  int sizeBytes() {
    return bytes.limit();
  }
}
