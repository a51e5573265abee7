package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.coordinator.ShardEffects.TxnMarker;
import io.takhin.coordinator.ShardEffects.TxnProducer;
import io.takhin.coordinator.ShardEffects.Write;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The way of a shard's records into its partition: as many writes in one batch as go in, and the
/// outcome of each batch back through the gate.
///
/// Threads: [#append] and [Settlement] behind the gate; outcomes come on any thread.
final class ShardWriter<M, R, E extends ShardEffects<R, E>> {
  private static final Logger LOG = LoggerFactory.getLogger(ShardWriter.class);

  /// As `offsets.commit.timeout.ms` of Kafka.
  private static final int APPEND_TIMEOUT_MS = 5_000;

  /// Coordinators number no batches: they send nothing twice.
  private static final int NO_SEQUENCE = -1;

  /// The attribute of batches that are part of a transaction.
  private static final int TRANSACTIONAL = 0x10;

  /// What a record takes in a batch besides key and value, at most.
  private static final int RECORD_OVERHEAD_BYTES = 36;

  /// Where outcomes go: the gate.
  interface Gate<M, E> {
    void submit(Work<M, E> settlement);
  }

  private final String name;
  private final Partition partition;
  private final int maxBatchBytes;
  private final RecordCodec<R> codec;
  private final Gate<M, E> gate;
  private int inFlight;

  /// A writer.
  ///
  /// @param name topic and partition, for messages
  ShardWriter(
      String name, Partition partition, int maxBatchBytes, RecordCodec<R> codec, Gate<M, E> gate) {
    this.name = name;
    this.partition = partition;
    this.maxBatchBytes = maxBatchBytes;
    this.codec = codec;
    this.gate = gate;
  }

  /// Whether no outcome is awaited.
  boolean quiet() {
    return inFlight == 0;
  }

  /// Appends in this order.
  void append(List<Write<R, E>> writes, long timestampMs) {
    OpenBatch batch = new OpenBatch(timestampMs);
    for (Write<R, E> write : writes) {
      PendingWrite<R, E> pending = new PendingWrite<>(write);
      TxnMarker marker = write.marker();
      if (marker != null) {
        batch.close();
        sendMarker(marker, pending);
        continue;
      }
      List<Encoded> encoded = encode(write);
      if (encoded == null) {
        settleLater(List.of(pending), ErrorCode.UNKNOWN_SERVER_ERROR, 0);
      } else if (largest(encoded) > maxBatchBytes - RecordBatch.HEADER_BYTES) {
        settleLater(List.of(pending), ErrorCode.MESSAGE_TOO_LARGE, 0);
      } else {
        batch.add(pending, encoded);
      }
    }
    batch.close();
  }

  /// A write on its way; behind the gate only.
  private static final class PendingWrite<R, E> {
    final Write<R, E> write;
    int batches;
    ErrorCode error = ErrorCode.NONE;

    PendingWrite(Write<R, E> write) {
      this.write = write;
    }
  }

  private record Encoded(byte[] key, byte @Nullable [] value) {
    int sizeBytes() {
      return key.length + (value == null ? 0 : value.length) + RECORD_OVERHEAD_BYTES;
    }
  }

  private @Nullable List<Encoded> encode(Write<R, E> write) {
    List<Encoded> encoded = new ArrayList<>(write.records().size());
    try {
      for (R record : write.records()) {
        encoded.add(new Encoded(codec.key(record), codec.value(record)));
      }
      return encoded;
    } catch (RuntimeException e) {
      LOG.error("A record for {} cannot be encoded", name, e);
      return null;
    }
  }

  private static int largest(List<Encoded> encoded) {
    int largest = 0;
    for (Encoded each : encoded) {
      largest = Math.max(largest, each.sizeBytes());
    }
    return largest;
  }

  /// Gathers writes into batches. Records of a transaction need batches of their producer's own.
  private final class OpenBatch {
    private final long timestampMs;
    private RecordBatchBuilder builder = new RecordBatchBuilder();
    private List<PendingWrite<R, E>> writes = new ArrayList<>();
    private @Nullable TxnProducer producer;

    OpenBatch(long timestampMs) {
      this.timestampMs = timestampMs;
    }

    void add(PendingWrite<R, E> write, List<Encoded> encoded) {
      long size = 0;
      for (Encoded each : encoded) {
        size += each.sizeBytes();
      }
      if (!Objects.equals(producer, write.write.producer())
          || builder.sizeBytes() + size > maxBatchBytes) {
        close();
      }
      producer = write.write.producer();
      for (Encoded each : encoded) {
        if (builder.sizeBytes() + each.sizeBytes() > maxBatchBytes) {
          if (!writes.contains(write)) {
            writes.add(write);
          }
          close();
        }
        builder.add(timestampMs, each.key(), each.value());
      }
      writes.add(write);
    }

    void close() {
      if (builder.count() == 0) {
        return;
      }
      TxnProducer of = producer;
      if (of != null) {
        builder.producer(of.id(), of.epoch(), NO_SEQUENCE);
        builder.attributes(TRANSACTIONAL);
      }
      send(builder, writes);
      builder = new RecordBatchBuilder();
      writes = new ArrayList<>();
    }
  }

  private void send(RecordBatchBuilder builder, List<PendingWrite<R, E>> writes) {
    for (PendingWrite<R, E> write : writes) {
      write.batches++;
    }
    inFlight++;
    BatchAppend append = new BatchAppend(builder.build(), writes);
    try {
      partition.append(append);
    } catch (RuntimeException e) {
      LOG.error("An append to {} threw", name, e);
      append.done(ErrorCode.UNKNOWN_SERVER_ERROR, -1, -1, -1, e.getMessage());
    }
  }

  private void sendMarker(TxnMarker marker, PendingWrite<R, E> write) {
    write.batches++;
    inFlight++;
    TxnProducer producer = marker.producer();
    CompletableFuture<ErrorCode> written;
    try {
      written =
          partition.endTransaction(
              producer.id(),
              producer.epoch(),
              marker.coordinatorEpoch(),
              marker.commit(),
              marker.transactionVersion());
    } catch (RuntimeException e) {
      written = CompletableFuture.failedFuture(e);
    }
    written.whenComplete(
        (error, failure) -> {
          if (failure != null) {
            LOG.error("A marker for {} failed", name, failure);
          }
          settleLater(List.of(write), failure == null ? error : ErrorCode.UNKNOWN_SERVER_ERROR, 1);
        });
  }

  private void settleLater(List<PendingWrite<R, E>> writes, ErrorCode error, int batches) {
    gate.submit(new Settlement(writes, error, batches));
  }

  private final class BatchAppend extends PartitionAppend {
    private final List<PendingWrite<R, E>> writes;
    private final AtomicBoolean answered = new AtomicBoolean();

    BatchAppend(ByteBuffer records, List<PendingWrite<R, E>> writes) {
      super(records, (short) -1, APPEND_TIMEOUT_MS, Origin.COORDINATOR);
      this.writes = writes;
    }

    @Override
    public void done(
        ErrorCode error,
        long baseOffset,
        long logAppendTimeMs,
        long logStartOffset,
        @Nullable String message) {
      if (!answered.compareAndSet(false, true)) {
        return;
      }
      if (error != ErrorCode.NONE) {
        LOG.warn("An append to {} failed: {}: {}", name, error, message);
      }
      settleLater(writes, error, 1);
    }
  }

  /// The outcome of a batch, coming in through the gate.
  private final class Settlement extends Work<M, E> {
    private final List<PendingWrite<R, E>> writes;
    private final ErrorCode error;
    private final int batches;

    Settlement(List<PendingWrite<R, E>> writes, ErrorCode error, int batches) {
      super(false);
      this.writes = writes;
      this.error = error;
      this.batches = batches;
    }

    @Override
    boolean first() {
      return true;
    }

    @Override
    void run(M machine, Now now, E out) {
      inFlight -= batches;
      for (PendingWrite<R, E> each : writes) {
        each.batches -= batches;
        if (error != ErrorCode.NONE) {
          each.error = error;
        }
        if (each.batches == 0) {
          settled(each, now, out);
        }
      }
    }

    @Override
    void refuse(ErrorCode refused, E out) {}
  }

  /// One write's defect must not keep the others of its batch from their answers.
  private void settled(PendingWrite<R, E> each, Now now, E out) {
    try {
      each.write.then().settled(each.error, now, out);
    } catch (RuntimeException e) {
      LOG.error("A defect in the coordinator of {}", name, e);
    }
  }
}
