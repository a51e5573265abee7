package io.takhin.distribution.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.storage.LogSlice;
import io.takhin.testkit.simulation.Simulation;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What the world has been told about a partition, and whether the partition stands by it.
///
/// Known is what was acknowledged to a producer or shown to a reader: offset and value, and since
/// when. Values are unique and rise with each producer, so that a scan of the log shows what is
/// there twice or in the wrong order.
final class PartitionLedger {
  private static final int READ_BYTES = 16_384;

  private final Simulation simulation;
  private final String name;
  private final boolean durable;
  private final TreeMap<Long, Known> known = new TreeMap<>();
  private long highWatermark;
  private long deletedBelow;
  private long lossAt = -1;

  /// A value at an offset.
  private record Known(String value, long sinceNanos) {}

  PartitionLedger(Simulation simulation, String name, boolean durable) {
    this.simulation = simulation;
    this.name = name;
    this.durable = durable;
  }

  /// Whether records were lost that could be lost, after this time: producers may be out of step.
  boolean lostSince(long nanos) {
    return lossAt >= nanos;
  }

  /// A producer or reader was told.
  void learn(long offset, String value) {
    Known before = known.putIfAbsent(offset, new Known(value, simulation.nanoTime()));
    check(
        before == null || before.value.equals(value),
        "offset " + offset + " was " + before + " and is " + value);
  }

  /// DeleteRecords was asked for: what is below may be gone.
  void deleting(long offset) {
    deletedBelow = Math.max(deletedBelow, offset);
  }

  /// The cheap part, after every event.
  void watch(Partition partition) {
    if (!partition.leader()) {
      return;
    }
    long now = partition.highWatermark();
    check(now >= highWatermark, "the high watermark went from " + highWatermark + " to " + now);
    check(now <= partition.logEndOffset(), "the high watermark is beyond the end");
    highWatermark = now;
  }

  /// Reads one record that is known, chosen by the seed.
  void probe(Partition partition) {
    if (known.isEmpty()) {
      return;
    }
    long last = known.lastKey();
    Long offset = known.floorKey((long) (simulation.random().nextDouble() * (last + 1)));
    if (offset == null || offset < deletedBelow || offset < partition.logStartOffset()) {
      return;
    }
    Map<Long, String> found = new HashMap<>();
    ErrorCode error = read(partition.reader(), offset, found, null);
    if (error == ErrorCode.NONE) {
      String value = found.get(offset);
      check(
          String.valueOf(known.get(offset)).contains("value=" + value + ","),
          "known offset " + offset + " (" + known.get(offset) + ") reads as " + value);
    } else {
      check(
          error == ErrorCode.KAFKA_STORAGE_ERROR
              || error == ErrorCode.NOT_LEADER_OR_FOLLOWER
              || error == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
              || offset < partition.logStartOffset(),
          "known offset " + offset + " cannot be read: " + error);
    }
  }

  /// The dear part: everything, from start to high watermark.
  ///
  /// @return whether it could be read
  boolean audit(Partition partition, Map<Long, ProducerTail> producers) {
    Map<String, Long> lastOfProducer = new HashMap<>();
    Map<Long, String> all = new TreeMap<>();
    Partition.PartitionReader reader = partition.reader();
    long start = partition.logStartOffset();
    long end = partition.highWatermark();
    long next = start;
    while (next < end) {
      Map<Long, String> found = new TreeMap<>();
      ErrorCode error = read(reader, next, found, producers);
      if (error != ErrorCode.NONE) {
        return false;
      }
      check(!found.isEmpty(), "nothing at " + next + ", though the high watermark is " + end);
      for (Map.Entry<Long, String> record : found.entrySet()) {
        if (record.getKey() < start) {
          continue; // of a batch that begins below the log's start
        }
        check(record.getKey() == next, "offset " + record.getKey() + " where " + next + " belongs");
        next++;
        order(record.getKey(), record.getValue(), lastOfProducer);
      }
      all.putAll(found);
    }
    for (Map.Entry<Long, Known> entry : known.entrySet()) {
      long offset = entry.getKey();
      if (offset >= start && offset >= deletedBelow) {
        check(
            entry.getValue().value.equals(all.get(offset)),
            "offset " + offset + " was told as " + entry.getValue() + ", is " + all.get(offset));
      }
    }
    check(start <= Math.max(deletedBelow, 0), "the log starts at " + start + " by itself");
    return true;
  }

  private void order(long offset, String value, Map<String, Long> lastOfProducer) {
    int colon = value.indexOf(':');
    String producer = value.substring(0, colon);
    long number = Long.parseLong(value.substring(colon + 1));
    Long before = lastOfProducer.put(producer, number);
    check(
        before == null || before < number,
        "at " + offset + " comes " + value + " after number " + before + " of that producer");
  }

  /// The broker came back after it was killed: nothing told may be gone, but after a power cut, or
  /// after the disk failed, what was not on disk.
  void recovered(Partition partition, boolean lossAllowed, long lossAfterNanos) {
    long end = partition.highWatermark();
    Map.Entry<Long, Known> last = known.lastEntry();
    if (last != null && last.getKey() >= end) {
      check(lossAllowed && !durable, "recovered to " + end + ", though " + last + " was told");
      for (Map.Entry<Long, Known> lost : known.tailMap(end).entrySet()) {
        check(
            lost.getValue().sinceNanos >= lossAfterNanos,
            lost + " is lost though it was older than the flush interval");
      }
      simulation.note(name + " lost " + known.tailMap(end).size() + " records, as promised");
    }
    if (lossAllowed && !durable) {
      lossAt = simulation.nanoTime();
      known.tailMap(end).clear();
      highWatermark = 0;
    }
  }

  /// Reads whole batches from an offset on.
  static ErrorCode read(
      Partition.PartitionReader reader,
      long offset,
      Map<Long, String> into,
      @Nullable Map<Long, ProducerTail> producers) {
    PartitionRead read = reader.read(offset, -1, -1, READ_BYTES, true, Isolation.READ_UNCOMMITTED);
    LogSlice slice = read.records();
    if (read.error() != ErrorCode.NONE || slice == null) {
      return read.error();
    }
    ByteBuffer bytes = ByteBuffer.allocate(slice.sizeBytes());
    try (slice) {
      slice.copyTo(0, bytes);
    } catch (io.takhin.api.TakhinException e) {
      return e.code();
    }
    bytes.flip();
    for (int at = 0; at < bytes.limit(); at += (int) RecordBatch.sizeBytes(bytes, at)) {
      if (RecordBatch.computeCrc(bytes, at) != RecordBatch.crc(bytes, at)) {
        throw new AssertionError("served with a wrong checksum: a batch at " + offset);
      }
      long producer = RecordBatch.producerId(bytes, at);
      if (producers != null && producer >= 0) {
        producers.put(
            producer,
            new ProducerTail(
                RecordBatch.producerEpoch(bytes, at),
                RecordBatch.baseSequence(bytes, at) + RecordBatch.lastOffsetDelta(bytes, at)));
      }
      Records.visit(
          bytes,
          at,
          Records.payload(bytes, at),
          (recordOffset, ms, key, value) -> into.put(recordOffset, text(key)));
    }
    return ErrorCode.NONE;
  }

  /// The last batch of a producer, as the log shows it.
  record ProducerTail(short epoch, int lastSequence) {}

  private static String text(@Nullable ByteBuffer bytes) {
    return bytes == null ? "" : UTF_8.decode(bytes).toString();
  }

  private void check(boolean holds, String violation) {
    if (!holds) {
      throw new AssertionError(name + ": " + violation);
    }
  }
}
