package io.takhin.testkit.storage;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.TopicPartition;
import io.takhin.api.codec.CompressionType;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.AppendResult.Appended;
import io.takhin.api.storage.AppendResult.Duplicate;
import io.takhin.api.storage.AppendResult.Rejected;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import io.takhin.api.storage.LogListener;
import io.takhin.api.storage.LogReader;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.PartitionLog;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A log as a list of batches. Callbacks run under its lock, which the calls of one log's listener
/// must not overlap anyway.
final class InMemoryLog implements PartitionLog {
  private static final InMemoryTransactions NO_TRANSACTIONS = new InMemoryTransactions(List.of());

  private final InMemoryLogStorage storage;
  private final TopicPartition partition;
  private final ReentrantLock lock = new ReentrantLock();
  private final List<InMemoryBatch> batches = new ArrayList<>();
  // Also those that were deleted: producers are remembered for longer than their records.
  private final List<InMemoryBatch> history = new ArrayList<>();
  private final InMemoryProducers producers = new InMemoryProducers();
  private @Nullable LogConfig config;
  private @Nullable LogListener listener;
  private long logStartOffset;
  private long logEndOffset;
  private long committableEndOffset;
  private long uncommittedBytes;
  private long highWatermark;
  private final Map<Long, Verification> verifications = new HashMap<>();
  private boolean anyTransaction;
  private long lastToken;
  private boolean closed;

  InMemoryLog(InMemoryLogStorage storage, TopicPartition partition) {
    this.storage = storage;
    this.partition = partition;
  }

  /// A copy as a restart finds it.
  InMemoryLog restarted(InMemoryLogStorage next) {
    return locked(
        () -> {
          InMemoryLog copy = new InMemoryLog(next, partition);
          copy.batches.addAll(batches);
          copy.history.addAll(history);
          copy.anyTransaction = anyTransaction;
          copy.producers.rebuild(history);
          copy.logStartOffset = logStartOffset;
          copy.logEndOffset = logEndOffset;
          copy.committableEndOffset = logEndOffset;
          copy.highWatermark = highWatermark;
          return copy;
        });
  }

  void open(LogConfig newConfig, LogListener newListener) {
    locked(
        () -> {
          config = newConfig;
          listener = newListener;
          return this;
        });
  }

  /// Closes the log; tells the listener unless there is no reason.
  void fail(@Nullable String reason) {
    locked(
        () -> {
          closed = true;
          if (reason != null && listener != null) {
            listener.offline(reason);
          }
          return this;
        });
  }

  /// Makes all that was appended committable.
  void commit() {
    locked(
        () -> {
          if (uncommittedBytes > 0 && listener != null) {
            committableEndOffset = logEndOffset;
            long bytes = uncommittedBytes;
            uncommittedBytes = 0;
            listener.committable(logEndOffset, bytes);
          }
          return this;
        });
  }

  @Override
  public TopicPartition partition() {
    return partition;
  }

  @Override
  public Path directory() {
    return storage.directory();
  }

  @Override
  public long logStartOffset() {
    return locked(() -> logStartOffset);
  }

  @Override
  public long logEndOffset() {
    return locked(() -> logEndOffset);
  }

  @Override
  public long committableEndOffset() {
    return locked(() -> committableEndOffset);
  }

  @Override
  public void highWatermark(long offset) {
    locked(() -> highWatermark = offset);
  }

  @Override
  public long highWatermark() {
    return locked(() -> Math.min(Math.max(highWatermark, logStartOffset), logEndOffset));
  }

  @Override
  public long sizeBytes() {
    return locked(() -> batches.stream().mapToLong(InMemoryBatch::sizeBytes).sum());
  }

  @Override
  public LogConfig config() {
    return locked(
        () -> {
          if (config == null) {
            throw new IllegalStateException(partition + " was never opened");
          }
          return config;
        });
  }

  @Override
  public void reconfigure(LogConfig newConfig) {
    locked(() -> config = newConfig);
  }

  @Override
  public void append(LogAppend append) {
    locked(
        () -> {
          AppendResult result = closed ? closedResult() : tryAppend(append);
          if (result instanceof Appended && !storage.commitsHeld()) {
            commit();
          }
          append.appended(result);
          return this;
        });
  }

  private AppendResult closedResult() {
    return new Rejected(ErrorCode.KAFKA_STORAGE_ERROR, partition + " is offline or deleted");
  }

  private AppendResult tryAppend(LogAppend append) {
    ErrorCode refusal = storage.refusal();
    if (refusal != null) {
      return new Rejected(refusal, "refused by the test");
    }
    ByteBuffer in = append.records();
    List<InMemoryBatch> added = new ArrayList<>();
    long next = logEndOffset;
    int at = in.position();
    while (at < in.limit()) {
      Rejected wrong = validate(in, at, append.origin(), next);
      if (wrong != null) {
        return wrong;
      }
      int size = (int) RecordBatch.sizeBytes(in, at);
      if (append.origin() != Origin.REPLICA) {
        RecordBatch.baseOffset(in, at, next);
        RecordBatch.leaderEpoch(in, at, append.leaderEpoch());
        if (config().timestampType() == TimestampType.LOG_APPEND_TIME) {
          RecordBatch.stampLogAppendTime(in, at, storage.nowMs());
          RecordBatch.updateCrc(in, at);
        }
      }
      ByteBuffer copy = ByteBuffer.allocate(size).put(0, in, at, size);
      added.add(new InMemoryBatch(copy));
      next = added.getLast().lastOffset() + 1;
      at += size;
    }
    if (added.isEmpty()) {
      return new Rejected(ErrorCode.INVALID_RECORD, "no batch");
    }
    InMemoryBatch first = added.getFirst();
    if (append.origin() == Origin.CLIENT && added.size() > 1) {
      return new Rejected(ErrorCode.INVALID_RECORD, "more than one batch");
    }
    if (append.origin() != Origin.REPLICA && first.producerId() >= 0) {
      AppendResult known =
          append.origin() == Origin.CLIENT
              ? checkProducer(first, append)
              : checkCoordinator(first, append, added.size());
      if (known != null) {
        return known;
      }
    }
    return write(added);
  }

  private @Nullable AppendResult checkCoordinator(
      InMemoryBatch batch, LogAppend append, int batchCount) {
    TransactionMarker marker = batch.marker();
    if (batchCount > 1 || (marker == null && batch.control())) {
      return new Rejected(ErrorCode.INVALID_RECORD, "not one batch of data or one marker");
    }
    ErrorCode error;
    if (marker == null) {
      error = producers.fenced(batch) ? ErrorCode.INVALID_PRODUCER_EPOCH : ErrorCode.NONE;
    } else {
      int last = batch.producerEpoch() - (append.transactionVersion() < 2 ? 0 : 1);
      verifications.computeIfPresent(
          batch.producerId(), (id, known) -> known.epoch <= last ? null : known);
      boolean open = transactions().open(batch.producerId()) != null;
      error = producers.checkMarker(batch, marker, append.transactionVersion(), open);
    }
    return error == ErrorCode.NONE ? null : new Rejected(error, "epoch of producer or coordinator");
  }

  private InMemoryTransactions transactions() {
    return anyTransaction ? InMemoryTransactions.of(history) : NO_TRANSACTIONS;
  }

  private @Nullable AppendResult checkProducer(InMemoryBatch batch, LogAppend append) {
    if (producers.fenced(batch)) {
      return new Rejected(ErrorCode.INVALID_PRODUCER_EPOCH, "an older epoch");
    }
    InMemoryBatch known = producers.duplicateOf(batch);
    if (known != null) {
      return new Duplicate(known.baseOffset(), known.lastOffset(), stampOf(known), logStartOffset);
    }
    InMemoryTransactions.Transaction open = transactions().open(batch.producerId());
    boolean goesOn = open != null && open.epoch() == batch.producerEpoch();
    Verification given = verifications.get(batch.producerId());
    boolean verified = given != null && given.token == append.verification();
    if (batch.transactional() ? !goesOn && !verified : open != null) {
      return new Rejected(ErrorCode.INVALID_TXN_STATE, "not as the producer's transaction is");
    }
    boolean tooHigh =
        batch.transactional() && !goesOn && batch.baseSequence() > append.highestSequence();
    ErrorCode error = tooHigh ? ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER : producers.check(batch);
    return error == ErrorCode.NONE ? null : new Rejected(error, "sequence or epoch of producer");
  }

  private AppendResult write(List<InMemoryBatch> added) {
    for (InMemoryBatch batch : added) {
      batches.add(batch);
      history.add(batch);
      anyTransaction |= batch.transactional();
      uncommittedBytes += batch.sizeBytes();
      if (batch.producerId() >= 0) {
        producers.add(batch);
      }
    }
    logEndOffset = added.getLast().lastOffset() + 1;
    return new Appended(
        added.getFirst().baseOffset(), logEndOffset - 1, stampOf(added.getFirst()), logStartOffset);
  }

  private static long stampOf(InMemoryBatch batch) {
    return RecordBatch.logAppendTime(batch.bytes(), 0) ? batch.maxTimestampMs() : -1;
  }

  private @Nullable Rejected validate(ByteBuffer in, int at, Origin origin, long next) {
    int left = in.limit() - at;
    if (left < RecordBatch.HEADER_BYTES || RecordBatch.sizeBytes(in, at) > left) {
      return new Rejected(ErrorCode.INVALID_RECORD, "a batch passes its buffer");
    }
    byte magic = RecordBatch.magic(in, at);
    if (magic == 0 || magic == 1) {
      return new Rejected(ErrorCode.INVALID_RECORD, "magic is not 2");
    }
    if (magic != RecordBatch.MAGIC || RecordBatch.sizeBytes(in, at) < RecordBatch.HEADER_BYTES) {
      return new Rejected(ErrorCode.CORRUPT_MESSAGE, "no batch of any format");
    }
    if (RecordBatch.computeCrc(in, at) != RecordBatch.crc(in, at)) {
      return new Rejected(ErrorCode.CORRUPT_MESSAGE, "wrong checksum");
    }
    if (origin == Origin.REPLICA) {
      return RecordBatch.baseOffset(in, at) < next
          ? new Rejected(ErrorCode.INVALID_RECORD, "offset below the end " + next)
          : null;
    }
    if (RecordBatch.count(in, at) <= 0
        || RecordBatch.lastOffsetDelta(in, at) != RecordBatch.count(in, at) - 1
        || CompressionType.of(RecordBatch.codec(in, at)) == null) {
      return new Rejected(ErrorCode.INVALID_RECORD, "count, last offset or codec");
    }
    if (origin == Origin.CLIENT && RecordBatch.control(in, at)) {
      return new Rejected(ErrorCode.INVALID_RECORD, "a control batch from a client");
    }
    if (RecordBatch.sizeBytes(in, at) > config().maxMessageBytes() && origin == Origin.CLIENT) {
      return new Rejected(ErrorCode.MESSAGE_TOO_LARGE, "larger than max.message.bytes");
    }
    return null;
  }

  @Override
  public LogReader reader() {
    return this::read;
  }

  private @Nullable LogSlice read(long offset, long endOffset, int maxBytes, boolean atLeastOne) {
    return locked(
        () -> {
          checkOpen();
          if (offset < logStartOffset || offset > logEndOffset) {
            return null;
          }
          List<InMemoryBatch> taken = new ArrayList<>();
          int size = 0;
          for (InMemoryBatch batch : batches) {
            if (batch.lastOffset() < offset) {
              continue;
            }
            boolean fits = size + batch.sizeBytes() <= maxBytes || (atLeastOne && taken.isEmpty());
            if (batch.lastOffset() >= endOffset || !fits) {
              break;
            }
            taken.add(batch);
            size += batch.sizeBytes();
          }
          ByteBuffer bytes = ByteBuffer.allocate(size);
          taken.forEach(batch -> bytes.put(batch.bytes().duplicate().position(0)));
          return new InMemorySlice(
              bytes.flip(), taken.isEmpty() ? -1 : taken.getLast().lastOffset() + 1);
        });
  }

  @Override
  public OffsetAtTimestamp offsetAtOrAfter(long timestampMs) {
    return locked(() -> find(timestampMs));
  }

  @Override
  public OffsetAtTimestamp offsetOfMaxTimestamp() {
    return locked(
        () -> {
          long greatest = -1;
          for (InMemoryBatch batch : batches) {
            greatest = Math.max(greatest, batch.maxTimestampMs());
          }
          return greatest < 0 ? OffsetAtTimestamp.NONE : find(greatest);
        });
  }

  /// Batches must be uncompressed: the fake has no codecs.
  private OffsetAtTimestamp find(long timestampMs) {
    checkOpen();
    for (InMemoryBatch batch : batches) {
      if (batch.maxTimestampMs() < timestampMs) {
        continue;
      }
      OffsetAtTimestamp[] found = {OffsetAtTimestamp.NONE};
      Records.visit(
          batch.bytes(),
          0,
          Records.payload(batch.bytes(), 0),
          (offset, timestamp, key, value) -> {
            if (found[0].offset() < 0 && timestamp >= timestampMs && offset >= logStartOffset) {
              found[0] = new OffsetAtTimestamp(offset, timestamp, batch.leaderEpoch());
            }
          });
      if (found[0].offset() >= 0) {
        return found[0];
      }
    }
    return OffsetAtTimestamp.NONE;
  }

  @Override
  public int latestEpoch() {
    return locked(() -> batches.isEmpty() ? -1 : batches.getLast().leaderEpoch());
  }

  @Override
  public EpochEndOffset endOffsetForEpoch(int epoch) {
    return locked(
        () -> {
          int found = -1;
          long end = -1;
          for (InMemoryBatch batch : batches) {
            if (batch.leaderEpoch() <= epoch) {
              found = batch.leaderEpoch();
              end = batch.lastOffset() + 1;
            }
          }
          if (epoch < 0 || epoch > latestEpoch()) {
            return new EpochEndOffset(-1, -1);
          }
          return found >= 0
              ? new EpochEndOffset(found, end)
              : new EpochEndOffset(epoch, batches.getFirst().baseOffset());
        });
  }

  @Override
  public void deleteRecordsBefore(long offset) {
    locked(
        () -> {
          if (offset > logStartOffset && offset <= logEndOffset) {
            logStartOffset = offset;
            batches.removeIf(batch -> batch.lastOffset() < offset);
            if (listener != null) {
              listener.logStartAdvanced(offset);
            }
          }
          return this;
        });
  }

  @Override
  public void truncateTo(long offset) {
    locked(
        () -> {
          batches.removeIf(batch -> batch.lastOffset() >= offset);
          history.removeIf(batch -> batch.lastOffset() >= offset);
          logEndOffset = Math.min(logEndOffset, offset);
          if (!batches.isEmpty()) {
            logEndOffset = Math.min(logEndOffset, batches.getLast().lastOffset() + 1);
          }
          afterTruncation();
          return this;
        });
  }

  @Override
  public void truncateFullyAndStartAt(long offset) {
    locked(
        () -> {
          batches.clear();
          history.clear();
          logStartOffset = offset;
          logEndOffset = offset;
          afterTruncation();
          return this;
        });
  }

  private void afterTruncation() {
    logStartOffset = Math.min(logStartOffset, logEndOffset);
    committableEndOffset = Math.min(committableEndOffset, logEndOffset);
    highWatermark = Math.min(highWatermark, logEndOffset);
    producers.rebuild(history);
  }

  @Override
  public void flush() {
    commit();
  }

  @Override
  public List<ActiveProducer> activeProducers() {
    return locked(() -> producers.active(transactions()));
  }

  @Override
  public long firstUnstableOffset() {
    return locked(
        () -> {
          long first = transactions().firstUnstable(highWatermark);
          return first < 0 ? -1 : Math.max(first, logStartOffset);
        });
  }

  @Override
  public List<AbortedTransaction> abortedTransactions(long from, long until) {
    return locked(
        () -> {
          if (from < logStartOffset) {
            throw new TakhinException(ErrorCode.OFFSET_OUT_OF_RANGE, from + " was deleted");
          }
          return transactions().aborted(from, until);
        });
  }

  @Override
  public boolean transactionOpen(long producerId, short producerEpoch) {
    return locked(
        () -> {
          InMemoryTransactions.Transaction open = transactions().open(producerId);
          return open != null && open.epoch() == producerEpoch;
        });
  }

  @Override
  public long beginVerification(long producerId, short producerEpoch) {
    return locked(
        () -> {
          verifications.put(producerId, new Verification(++lastToken, producerEpoch));
          return lastToken;
        });
  }

  @Override
  public void endVerification(long producerId, long token) {
    locked(
        () ->
            verifications.computeIfPresent(
                producerId, (id, known) -> known.token == token ? null : known));
  }

  private void checkOpen() {
    if (closed) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR, partition + " is offline or deleted");
    }
  }

  private <T extends @Nullable Object> T locked(java.util.function.Supplier<T> action) {
    lock.lock();
    try {
      return action.get();
    } finally {
      lock.unlock();
    }
  }

  private record Verification(long token, short epoch) {}
}
