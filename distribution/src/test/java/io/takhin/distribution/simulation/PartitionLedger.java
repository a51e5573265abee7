package io.takhin.distribution.simulation;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.distribution.simulation.LogReplay.Batch;
import io.takhin.distribution.simulation.LogReplay.Keyed;
import io.takhin.testkit.simulation.Simulation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What the world has been told about a partition, and whether the partition stands by it.
///
/// Known is what was acknowledged to a producer or shown to a reader: offset and value, and since
/// when. Values are unique and rise with each producer, so that a scan of the log shows what is
/// there twice or in the wrong order.
final class PartitionLedger {
  private final Simulation simulation;
  private final TransactionLedger transactions;
  private final String name;
  private final boolean durable;
  private final long retentionMs;
  private final long retentionBytes;
  private final Map<String, Long> stamps = new HashMap<>();
  private long lastStamp;
  private long latestWallMs;
  private final TreeMap<Long, Known> known = new TreeMap<>();
  private long highWatermark;
  private long lastStable;
  private long lastStart;
  private long lastBytes;
  private long deletedBelow;
  private long lossAt = -1;

  /// A value at an offset.
  private record Known(String value, long sinceNanos) {}

  /// @param durable whether what is acknowledged is on disk
  /// @param retentionMs how old records may get; -1 for any age
  /// @param retentionBytes how much stays whatever its age
  PartitionLedger(
      Simulation simulation,
      TransactionLedger transactions,
      String name,
      boolean durable,
      long retentionMs,
      long retentionBytes) {
    this.transactions = transactions;
    this.simulation = simulation;
    this.name = name;
    this.durable = durable;
    this.retentionMs = retentionMs;
    this.retentionBytes = retentionBytes;
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
        () -> "offset " + offset + " was " + before + " and is " + value);
  }

  /// A record gets this timestamp, perhaps not for the first time.
  void stamped(String value, long timestampMs) {
    if (retentionMs >= 0) {
      stamps.merge(value, timestampMs, Math::min);
      lastStamp = Math.max(lastStamp, timestampMs);
    }
  }

  /// Whether everything in it, markers apart, should be gone by now.
  boolean faded() {
    return retentionMs >= 0 && lastStamp + retentionMs + 15_000 < simulation.wallMs();
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
    long before = highWatermark;
    check(now >= before, () -> "the high watermark went from " + before + " to " + now);
    check(now <= partition.logEndOffset(), () -> "the high watermark is beyond the end");
    highWatermark = now;
    long stable = partition.lastStableOffset();
    long stableBefore = lastStable;
    check(
        stable >= stableBefore,
        () -> "the last stable offset went from " + stableBefore + " to " + stable);
    check(stable <= partition.highWatermark(), () -> "stable to " + stable + ", visible to " + now);
    lastStable = stable;
    long start = partition.logStartOffset();
    latestWallMs = Math.max(latestWallMs, simulation.wallMs());
    if (retentionMs >= 0) {
      if (start > lastStart && start > deletedBelow) {
        expired(Math.max(lastStart, deletedBelow), start, partition);
      }
      lastBytes = partition.sizeBytes();
    }
    lastStart = start;
  }

  /// Retention raised the start: what went was old, or as much as may stay is still there. Size
  /// may take segments in the same round in which age takes the ones behind them: a wall clock
  /// that went back makes the newer ones older.
  private void expired(long from, long to, Partition partition) {
    long bytes = partition.sizeBytes();
    boolean agedBehind = false;
    for (Map.Entry<Long, Known> gone :
        known.subMap(from, true, to, false).descendingMap().entrySet()) {
      long stamp = stamps.getOrDefault(gone.getValue().value, Long.MIN_VALUE);
      boolean unknown = stamp == Long.MIN_VALUE;
      boolean aged = !unknown && stamp + retentionMs < latestWallMs;
      long most = agedBehind ? Math.max(bytes, lastBytes) : bytes;
      check(
          unknown || aged || most >= retentionBytes,
          () -> gone + " of " + stamp + " went by itself; there are " + most);
      agedBehind |= aged;
    }
  }

  /// Reads one record that is known, chosen by the seed, and checks what comes with it.
  void probe(Partition partition) {
    if (known.isEmpty()) {
      return;
    }
    long last = known.lastKey();
    Map.Entry<Long, Known> told =
        known.floorEntry((long) (simulation.random().nextDouble() * (last + 1)));
    if (told == null || told.getKey() < deletedBelow) {
      return;
    }
    long offset = told.getKey();
    if (offset < partition.logStartOffset()) {
      return;
    }
    List<Batch> read = new ArrayList<>();
    ErrorCode error =
        LogReplay.read(partition.reader(), offset, offset + 1, Isolation.READ_UNCOMMITTED, read)
            .error();
    if (error == ErrorCode.NONE) {
      boolean there =
          !read.isEmpty()
              && read.getFirst().records().contains(new Keyed(offset, told.getValue().value));
      check(there, () -> "known offset " + told + " reads as " + read);
    } else {
      check(
          error == ErrorCode.KAFKA_STORAGE_ERROR
              || error == ErrorCode.NOT_LEADER_OR_FOLLOWER
              || error == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
              || offset < partition.logStartOffset(),
          () -> "known offset " + offset + " cannot be read: " + error);
    }
  }

  /// The dear part: everything, from start to high watermark.
  void audit(Partition partition, LogReplay replay) {
    Map<String, Long> lastOfProducer = new HashMap<>();
    long start = partition.logStartOffset();
    long next = start;
    Iterator<Map.Entry<Long, Known>> told = known.tailMap(start).entrySet().iterator();
    Map.Entry<Long, Known> due = told.hasNext() ? told.next() : null;
    for (Batch batch : replay.batches()) {
      for (Keyed record : batch.records()) {
        if (record.offset() < start) {
          continue; // of a batch that begins below the log's start
        }
        long expected = next;
        check(
            record.offset() == expected,
            () -> "offset " + record.offset() + " where " + expected + " belongs");
        next++;
        if (!batch.control()) {
          order(record.offset(), record.key(), lastOfProducer);
        }
        // Offsets were found dense: what was told is met in the order of offsets.
        if (due != null && due.getKey() == record.offset()) {
          told(due, record.key());
          due = told.hasNext() ? told.next() : null;
        }
      }
    }
    for (; due != null; due = told.hasNext() ? told.next() : null) {
      told(due, null);
    }
    check(
        retentionMs >= 0 || start <= Math.max(deletedBelow, 0),
        () -> "the log starts at " + start + " by itself");
  }

  /// @param value what the log has there; null for nothing
  private void told(Map.Entry<Long, Known> entry, @Nullable String value) {
    check(
        entry.getValue().value.equals(value) || entry.getKey() < deletedBelow,
        () -> "offset " + entry.getKey() + " was told as " + entry.getValue() + ", is " + value);
  }

  private void order(long offset, String value, Map<String, Long> lastOfProducer) {
    int colon = value.indexOf(':');
    String producer = value.substring(0, colon);
    long number = Long.parseLong(value, colon + 1, value.length(), 10);
    Long before = lastOfProducer.put(producer, number);
    boolean excused = producer.startsWith("t") && transactions.suspended();
    check(
        before == null || before < number || excused,
        () -> "at " + offset + " comes " + value + " after number " + before + " of that producer");
  }

  /// The broker came back after it was killed: nothing told may be gone, but after a power cut, or
  /// after the disk failed, what was not on disk.
  void recovered(Partition partition, boolean lossAllowed, long lossAfterNanos) {
    long end = partition.highWatermark();
    Map.Entry<Long, Known> last = known.lastEntry();
    if (last != null && last.getKey() >= end) {
      check(
          lossAllowed && !durable, () -> "recovered to " + end + ", though " + last + " was told");
      for (Map.Entry<Long, Known> lost : known.tailMap(end).entrySet()) {
        check(
            lost.getValue().sinceNanos >= lossAfterNanos,
            () -> lost + " is lost though it was older than the flush interval");
      }
      simulation.note(name + " lost " + known.tailMap(end).size() + " records, as promised");
    }
    if (partition.logStartOffset() < lastStart) {
      lastStable = 0; // a start that was not yet on disk, and above an open transaction
    }
    lastStart = partition.logStartOffset();
    if (lossAllowed && !durable) {
      lossAt = simulation.nanoTime();
      known.tailMap(end).clear();
      highWatermark = 0;
      lastStable = 0;
    }
  }

  /// Reads the records of whole batches from an offset on.
  static ErrorCode read(Partition.PartitionReader reader, long offset, List<Keyed> into) {
    List<Batch> read = new ArrayList<>();
    PartitionRead answer = LogReplay.read(reader, offset, Isolation.READ_UNCOMMITTED, read);
    read.forEach(batch -> into.addAll(batch.records()));
    return answer.error();
  }

  private void check(boolean holds, Supplier<String> violation) {
    if (!holds) {
      throw new AssertionError(name + ": " + violation.get());
    }
  }
}
