package io.takhin.distribution.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a log holds, read batch by batch, and what follows from it alone: who wrote last, which
/// transactions are open, which records are committed. The broker's own answers are held against
/// that.
final class LogReplay {
  private static final int READ_BYTES = 16_384;

  /// What stands for the key of a marker.
  static final String MARKER = "marker";

  /// A batch.
  ///
  /// @param commit of a marker; null for others
  record Batch(
      long base,
      long last,
      long producerId,
      short epoch,
      int lastSequence,
      boolean transactional,
      boolean control,
      @Nullable Boolean commit,
      List<Keyed> records) {}

  /// A record: its offset and its key as text.
  record Keyed(long offset, String key) {}

  /// A producer, as its batches show it.
  record Tail(short epoch, int lastSequence, long txnStart) {}

  private final List<Batch> batches = new ArrayList<>();
  private final Map<Long, Tail> tails = new TreeMap<>();
  private final Map<Long, List<Batch>> open = new TreeMap<>();
  private final TreeMap<Long, Boolean> outcomes = new TreeMap<>();

  /// Reads from one offset to another; null if it cannot be read.
  static @Nullable LogReplay of(Partition partition, long from, long to) {
    LogReplay replay = new LogReplay();
    PartitionReader reader = partition.reader();
    for (long next = from; next < to; ) {
      List<Batch> read = new ArrayList<>();
      PartitionRead answer = read(reader, next, Isolation.READ_UNCOMMITTED, read);
      if (answer.error() != ErrorCode.NONE) {
        return null;
      }
      if (read.isEmpty()) {
        throw new AssertionError(partition.id() + ": nothing at " + next + ", before " + to);
      }
      for (Batch batch : read) {
        if (batch.base < to && batch.last >= next) {
          replay.add(batch);
        }
      }
      next = read.getLast().last + 1;
    }
    return replay;
  }

  private void add(Batch batch) {
    batches.add(batch);
    if (batch.producerId < 0) {
      return;
    }
    Tail before = tails.get(batch.producerId);
    if (batch.control) {
      if (batch.commit != null) {
        boolean same = before != null && batch.epoch <= before.epoch;
        tails.put(
            batch.producerId,
            same && before != null
                ? new Tail(before.epoch, before.lastSequence, -1)
                : new Tail(batch.epoch, -1, -1));
        List<Batch> ended = open.remove(batch.producerId);
        if (ended != null) {
          ended.forEach(each -> outcomes.put(each.base, batch.commit));
        }
      }
      return;
    }
    long start = before == null ? -1 : before.txnStart;
    if (batch.transactional) {
      open.computeIfAbsent(batch.producerId, id -> new ArrayList<>()).add(batch);
      start = start < 0 ? batch.base : start;
    }
    tails.put(batch.producerId, new Tail(batch.epoch, batch.lastSequence, start));
  }

  /// The batches in order.
  List<Batch> batches() {
    return batches;
  }

  /// Each producer that wrote.
  Map<Long, Tail> producers() {
    return tails;
  }

  /// The first offset of a transaction without an end; `otherwise` if there is none.
  long firstOpen(long otherwise) {
    return open.values().stream()
        .map(each -> each.getFirst().base)
        .min(Comparator.naturalOrder())
        .orElse(otherwise);
  }

  /// How a batch's transaction ended; null while it is open, or if there is none.
  @Nullable Boolean outcome(Batch batch) {
    return outcomes.get(batch.base);
  }

  /// The records below an offset that a read_committed reader must see.
  List<Keyed> committed(long from, long until) {
    List<Keyed> seen = new ArrayList<>();
    for (Batch batch : batches) {
      if (!batch.control && (!batch.transactional || Boolean.TRUE.equals(outcome(batch)))) {
        for (Keyed record : batch.records) {
          if (record.offset >= from && record.offset < until) {
            seen.add(record);
          }
        }
      }
    }
    return seen;
  }

  /// The records that a read_committed reader does see, if it skips what it is told to skip, as
  /// Kafka's consumer does.
  ///
  /// @param into takes them in the order of offsets
  /// @return where it goes on; -1 if it cannot be read
  static long readCommitted(PartitionReader reader, long from, List<Keyed> into) {
    List<Batch> read = new ArrayList<>();
    PartitionRead answer = read(reader, from, Isolation.READ_COMMITTED, read);
    if (answer.error() != ErrorCode.NONE) {
      return -1;
    }
    ArrayDeque<AbortedTransaction> aborted =
        new ArrayDeque<>(
            answer.aborted().stream()
                .sorted(Comparator.comparingLong(AbortedTransaction::firstOffset))
                .toList());
    Set<Long> skipping = new HashSet<>();
    long next = from;
    for (Batch batch : read) {
      AbortedTransaction first = aborted.peek();
      while (first != null && first.firstOffset() <= batch.last) {
        skipping.add(first.producerId());
        aborted.remove();
        first = aborted.peek();
      }
      if (batch.control) {
        if (Boolean.FALSE.equals(batch.commit)) {
          skipping.remove(batch.producerId);
        }
      } else if (!batch.transactional || !skipping.contains(batch.producerId)) {
        for (Keyed record : batch.records) {
          if (record.offset >= from) {
            into.add(record);
          }
        }
      }
      next = batch.last + 1;
    }
    return next;
  }

  /// Reads whole batches from an offset on, and checks their checksums.
  static PartitionRead read(
      PartitionReader reader, long offset, Isolation isolation, List<Batch> into) {
    return read(reader, offset, Long.MAX_VALUE, isolation, into);
  }

  /// Reads whole batches from an offset on, and checks their checksums.
  ///
  /// @param until batches that begin here or later are checked, and not passed on
  static PartitionRead read(
      PartitionReader reader, long offset, long until, Isolation isolation, List<Batch> into) {
    PartitionRead read = reader.read(offset, -1, -1, READ_BYTES, true, isolation);
    LogSlice slice = read.records();
    if (read.error() != ErrorCode.NONE || slice == null) {
      return read;
    }
    ByteBuffer bytes = ByteBuffer.allocate(slice.sizeBytes());
    try (slice) {
      slice.copyTo(0, bytes);
    } catch (TakhinException e) {
      return new PartitionRead(e.code(), -1, -1, -1, null, List.of(), null);
    }
    bytes.flip();
    for (int at = 0; at < bytes.limit(); at += (int) RecordBatch.sizeBytes(bytes, at)) {
      if (RecordBatch.computeCrc(bytes, at) != RecordBatch.crc(bytes, at)) {
        throw new AssertionError("served with a wrong checksum: a batch at " + offset);
      }
      if (RecordBatch.baseOffset(bytes, at) < until) {
        into.add(batch(bytes, at));
      }
    }
    return read;
  }

  private static Batch batch(ByteBuffer bytes, int at) {
    boolean control = RecordBatch.control(bytes, at);
    TransactionMarker marker = control ? TransactionMarker.read(bytes, at) : null;
    List<Keyed> records = new ArrayList<>(4);
    if (control) {
      records.add(new Keyed(RecordBatch.baseOffset(bytes, at), MARKER));
    } else {
      Records.visit(
          bytes,
          at,
          Records.payload(bytes, at),
          (offset, ms, key, value) -> records.add(new Keyed(offset, text(key))));
    }
    int sequence = RecordBatch.baseSequence(bytes, at);
    return new Batch(
        RecordBatch.baseOffset(bytes, at),
        RecordBatch.lastOffset(bytes, at),
        RecordBatch.producerId(bytes, at),
        RecordBatch.producerEpoch(bytes, at),
        sequence < 0 ? -1 : sequence + RecordBatch.lastOffsetDelta(bytes, at),
        RecordBatch.transactional(bytes, at),
        control,
        marker == null ? null : marker.commit(),
        records);
  }

  private static String text(@Nullable ByteBuffer bytes) {
    return bytes == null
        ? ""
        : new String(
            bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining(), UTF_8);
  }

  /// Producers as the broker shows them.
  static Map<Long, Tail> recovered(Partition partition) {
    Map<Long, Tail> recovered = new HashMap<>();
    for (var producer : partition.activeProducers()) {
      recovered.put(
          producer.producerId(),
          new Tail(producer.producerEpoch(), producer.lastSequence(), producer.txnStartOffset()));
    }
    return new TreeMap<>(recovered);
  }
}
