package io.takhin.coordinator.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.ShardEffects.TxnMarker;
import io.takhin.coordinator.ShardEffects.TxnProducer;
import io.takhin.coordinator.ShardEffects.Write;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Producers that commit offsets in transactions, end them or lose them, beside commits without
/// one and deletions, on a log that acknowledges late, sometimes refuses, and is compacted now and
/// then; a coordinator that moves. After every event the state must be what the log says, read the
/// way a compacted log has to be read: of the records that count, the last one written is true.
class PendingOffsetsSimulationTest {
  private static final int PARTITIONS = 3;
  private static final int PRODUCERS = 4;
  private static final String GROUP = "payments";

  /// One entry of the log: a record, or with null the end of a transaction.
  private record Entry(
      long producer, @org.jspecify.annotations.Nullable OffsetCommit record, boolean commit) {}

  private static final long NOBODY = -1;

  private final Random random = new Random();
  private final List<Entry> log = new ArrayList<>();
  private final Deque<Write<GroupRecord, Effects>> inFlight = new ArrayDeque<>();
  private Effects effects = new Effects();
  private GroupStateMachine machine = machine();
  private long nextOffset;
  private int unstableSeen;
  private int committedSeen;

  private static GroupStateMachine machine() {
    return new GroupStateMachine(ServiceHarness.DEFAULTS, UUID::randomUUID);
  }

  private static Now now() {
    return new Now(1_000, 1_700_000_000_000L);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void stateIsWhatTheLogSaysAfterEveryEvent(long seed) {
    random.setSeed(seed);
    for (int step = 0; step < 3_000; step++) {
      try {
        event();
        effects.takeWrites().forEach(inFlight::add);
        effects.takeAnswers().forEach(Effects.Answer::give);
        check();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step, e);
      }
    }
    assertTrue(unstableSeen > 100, "transactions must have been open: " + unstableSeen);
    assertTrue(committedSeen > 100, "offsets must have been true: " + committedSeen);
  }

  private void event() {
    long producer = random.nextInt(PRODUCERS);
    switch (random.nextInt(20)) {
      case 0 -> move();
      case 1 -> delete();
      case 2, 3 -> commit();
      case 4, 5, 6, 7 -> commitTransactional(producer);
      case 8, 9 -> end(producer, random.nextBoolean());
      case 10 -> settle(ErrorCode.NOT_ENOUGH_REPLICAS);
      case 11 -> settle(ErrorCode.REQUEST_TIMED_OUT);
      case 12 -> compact();
      default -> settle(ErrorCode.NONE);
    }
  }

  private List<OffsetToCommit> offsets() {
    List<OffsetToCommit> offsets = new ArrayList<>();
    for (int i = 0; i <= random.nextInt(2); i++) {
      int partition = random.nextInt(PARTITIONS);
      offsets.add(new OffsetToCommit(null, "orders", partition, ++nextOffset, 1, ""));
    }
    return offsets;
  }

  private void commit() {
    machine.commitOffsets(
        now(),
        new CommitRequest(GROUP, -1, "", null, -1, offsets()),
        new CompletableFuture<>(),
        effects);
  }

  private void commitTransactional(long producer) {
    TxnCommitRequest request =
        new TxnCommitRequest("t" + producer, GROUP, producer, (short) 0, -1, "", null, offsets());
    machine.commitTransactionalOffsets(now(), request, new CompletableFuture<>(), effects);
  }

  private void end(long producer, boolean commit) {
    TxnMarker marker = new TxnMarker(new TxnProducer(producer, (short) 0), 0, commit, 0);
    machine.endTransaction(marker, new CompletableFuture<>(), effects);
  }

  private void delete() {
    if (inFlight.isEmpty()) {
      List<OffsetKey> keys = List.of(new OffsetKey("orders", random.nextInt(PARTITIONS)));
      machine.deleteOffsets(GROUP, keys, new CompletableFuture<>(), effects);
    }
  }

  /// The oldest write is acknowledged, or not.
  private void settle(ErrorCode outcome) {
    Write<GroupRecord, Effects> oldest = inFlight.poll();
    if (oldest == null) {
      return;
    }
    if (outcome != ErrorCode.NOT_ENOUGH_REPLICAS) {
      TxnMarker marker = oldest.marker();
      TxnProducer producer = oldest.producer();
      if (marker != null) {
        log.add(new Entry(marker.producer().id(), null, marker.commit()));
      }
      for (GroupRecord record : oldest.records()) {
        if (record instanceof OffsetCommit commit) {
          log.add(new Entry(producer == null ? NOBODY : producer.id(), commit, false));
        }
      }
    }
    oldest.then().settled(outcome, now(), effects);
  }

  /// Another broker takes over: what was under way is lost, the log is replayed.
  private void move() {
    inFlight.clear();
    effects = new Effects();
    machine = machine();
    for (Entry entry : log) {
      OffsetCommit record = entry.record();
      if (record == null) {
        machine.replayMarker(entry.producer(), entry.commit());
      } else if (entry.producer() == NOBODY) {
        machine.replay(record);
      } else {
        machine.replayTransactional(entry.producer(), record);
      }
    }
    machine.loaded(now(), effects);
  }

  /// Drops what a cleaner may drop: below the first open transaction, of the decided records of a
  /// key all but the last.
  private void compact() {
    Set<Integer> dropped = new HashSet<>();
    Map<OffsetKey, Integer> last = new HashMap<>();
    Map<Long, List<Integer>> open = new LinkedHashMap<>();
    List<Integer> decided = new ArrayList<>();
    for (int i = 0; i < log.size(); i++) {
      Entry entry = log.get(i);
      if (entry.record() == null) {
        List<Integer> of = open.remove(entry.producer());
        if (of != null && entry.commit()) {
          decided.addAll(of);
        } else if (of != null) {
          dropped.addAll(of);
        }
      } else if (entry.producer() == NOBODY) {
        decided.add(i);
      } else {
        open.computeIfAbsent(entry.producer(), id -> new ArrayList<>()).add(i);
      }
    }
    decided.sort(null);
    int end = open.values().stream().mapToInt(List::getFirst).min().orElse(log.size());
    dropped.removeIf(at -> at >= end);
    decided.removeIf(at -> at >= end);
    for (int at : decided) {
      OffsetCommit record = log.get(at).record();
      if (record != null) {
        Integer before = last.put(new OffsetKey(record.topic(), record.partition()), at);
        if (before != null) {
          dropped.add(before);
        }
      }
    }
    List<Entry> kept = new ArrayList<>();
    for (int i = 0; i < log.size(); i++) {
      if (!dropped.contains(i)) {
        kept.add(log.get(i));
      }
    }
    log.clear();
    log.addAll(kept);
  }

  private void check() {
    Map<OffsetKey, Long> expected = new HashMap<>();
    Set<OffsetKey> unstable = new HashSet<>();
    expect(expected, unstable);
    for (Write<GroupRecord, Effects> write : inFlight) {
      if (write.producer() != null) {
        for (GroupRecord record : write.records()) {
          if (record instanceof OffsetCommit commit) {
            unstable.add(new OffsetKey(commit.topic(), commit.partition()));
          }
        }
      }
    }
    for (int partition = 0; partition < PARTITIONS; partition++) {
      OffsetKey key = new OffsetKey("orders", partition);
      long offset = expected.getOrDefault(key, -1L);
      assertEquals(offset, fetch(key, false).offset(), "the offset of " + key);
      FetchedOffset stable = fetch(key, true);
      if (unstable.contains(key)) {
        unstableSeen++;
        assertEquals(ErrorCode.UNSTABLE_OFFSET_COMMIT, stable.error(), key.toString());
      } else {
        committedSeen += offset >= 0 ? 1 : 0;
        assertEquals(ErrorCode.NONE, stable.error(), key.toString());
        assertEquals(offset, stable.offset());
      }
    }
    if (!expected.isEmpty() || !unstable.isEmpty()) {
      assertNotNull(machine.group(GROUP), "a group that holds offsets is there");
    } else if (inFlight.isEmpty()) {
      machine.expireOffsets(now(), effects);
      assertNull(machine.group(GROUP), "a group of which nothing is left goes with the next sweep");
    }
  }

  private FetchedOffset fetch(OffsetKey key, boolean requireStable) {
    return machine.fetchOffsets(GROUP, List.of(key), requireStable).offsets().getFirst();
  }

  /// Reads the log by its rule: the last written of what counts.
  private void expect(Map<OffsetKey, Long> expected, Set<OffsetKey> unstable) {
    Map<OffsetKey, Integer> writtenAt = new HashMap<>();
    Map<Long, Map<OffsetKey, Integer>> open = new HashMap<>();
    for (int i = 0; i < log.size(); i++) {
      Entry entry = log.get(i);
      OffsetCommit record = entry.record();
      if (record == null) {
        Map<OffsetKey, Integer> of = open.remove(entry.producer());
        if (of != null && entry.commit()) {
          of.forEach((key, at) -> writtenAt.merge(key, at, Math::max));
        }
        continue;
      }
      OffsetKey key = new OffsetKey(record.topic(), record.partition());
      if (entry.producer() != NOBODY) {
        open.computeIfAbsent(entry.producer(), id -> new HashMap<>()).put(key, i);
      } else {
        writtenAt.put(key, i);
        if (record.value() == null) {
          open.values().forEach(of -> of.remove(key));
        }
      }
    }
    writtenAt.forEach(
        (key, at) -> {
          OffsetCommit record = log.get(at).record();
          if (record != null && record.value() != null) {
            expected.put(key, record.value().offset());
          }
        });
    open.values().forEach(of -> unstable.addAll(of.keySet()));
  }
}
