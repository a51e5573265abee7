package io.takhin.distribution.simulation;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.partition.Partition;
import io.takhin.coordinator.transaction.CoordinatorReplay;
import io.takhin.distribution.simulation.LogReplay.Keyed;
import io.takhin.testkit.simulation.SimulatedDisk;
import io.takhin.testkit.simulation.Simulation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What happens to a broker, and what must hold when it is back.
final class Nemesis {
  /// What is older than this is on disk: the interval, a look, a wall clock that goes back, fsync.
  private static final long FLUSH_SLACK_NANOS = 4_000_000_000L;

  /// A broker that lives as long has forced what it found: a look, fsync.
  private static final long FIRST_LOOK_NANOS = 2_000_000_000L;

  private final BrokerSimulation world;
  private final Simulation simulation;
  private final SimulatedDisk disk;
  private final List<MetadataRecord> metadata;
  private final SimulationSettings settings;
  private int lives;
  private boolean powerLost;
  private boolean diskFailed;
  private long bornNanos;
  private long forcedNanos;
  private long troubledNanos;

  Nemesis(
      BrokerSimulation world,
      Simulation simulation,
      SimulatedDisk disk,
      List<MetadataRecord> metadata,
      SimulationSettings settings) {
    this.world = world;
    this.simulation = simulation;
    this.disk = disk;
    this.metadata = metadata;
    this.settings = settings;
  }

  /// Waits, then does something bad, and leaves a broker that runs.
  void strike() {
    world.sleepMs(100 + world.random().nextInt(4_000));
    SimulatedBroker broker = world.broker();
    if (broker == null) {
      throw new AssertionError("no broker");
    }
    switch (world.random().nextInt(10)) {
      case 0 -> killed(broker, false);
      case 1 -> killed(broker, true);
      case 2 -> stopped(broker);
      case 3, 4 -> crashPoint(broker, false);
      case 5, 6 -> crashPoint(broker, true);
      case 7 -> diskError(broker);
      case 8 -> fullDisk();
      default -> {
        if (world.chance(0.5)) {
          slowDisk();
        } else {
          simulation.jumpWallClock(world.random().nextInt(20_000) - 10_000);
        }
      }
    }
  }

  private void killed(SimulatedBroker broker, boolean power) {
    broker.process().kill();
    back(power);
  }

  private void crashPoint(SimulatedBroker broker, boolean power) {
    disk.crashAfter(1 + world.random().nextInt(60));
    awaitDeath(broker, 3_000);
    back(power);
  }

  private void stopped(SimulatedBroker broker) {
    Thread stopping = broker.stop();
    awaitDeath(broker, 10_000, stopping);
    back(world.chance(0.3));
  }

  /// @param stopping the thread that stops the broker
  private void awaitDeath(SimulatedBroker broker, int mostMs, Thread stopping) {
    for (int waited = 0; broker.process().alive(); waited += 10) {
      if (waited >= mostMs) {
        throw new AssertionError(
            "the broker does not stop: " + Arrays.toString(stopping.getStackTrace()));
      }
      world.sleepMs(10);
    }
  }

  private void awaitDeath(SimulatedBroker broker, int mostMs) {
    for (int waited = 0; broker.process().alive() && waited < mostMs; waited += 10) {
      world.sleepMs(10);
    }
    broker.process().kill();
  }

  private void diskError(SimulatedBroker broker) {
    disk.failAfter(1 + world.random().nextInt(40));
    for (int waited = 0; !disk.failed() && waited < 3_000; waited += 10) {
      world.sleepMs(10);
    }
    world.sleepMs(world.random().nextInt(500));
    diskFailed |= disk.failed();
    broker.process().kill();
    // On the same boot the page cache may show what never gets to the disk.
    back(world.chance(0.5));
  }

  private void fullDisk() {
    simulation.note("the disk fills up");
    disk.room(world.random().nextInt(4_000));
    world.sleepMs(world.random().nextInt(3_000));
    disk.room(Long.MAX_VALUE);
    simulation.note("the disk has room again");
    troubledNanos = simulation.nanoTime();
  }

  private void slowDisk() {
    disk.slow(true);
    world.sleepMs(world.random().nextInt(5_000));
    disk.slow(false);
    troubledNanos = simulation.nanoTime();
  }

  private void back(boolean power) {
    noteForced();
    if (power) {
      disk.powerCut();
      powerLost = true;
    }
    disk.heal();
    world.sleepMs(world.random().nextInt(1_000));
    if (world.chance(0.1)) {
      // Killed again while it recovers.
      SimulatedBroker broker = launch();
      disk.crashAfter(1 + world.random().nextInt(80));
      awaitStart(broker, 2_000);
      broker.process().kill();
      disk.heal();
      if (world.chance(0.3)) {
        disk.powerCut();
        powerLost = true;
      }
    }
    startBroker();
  }

  /// Before this time all that was acknowledged is on disk. A life that ends before its first look
  /// adds nothing: it may have left all that it found in the page cache.
  private void noteForced() {
    long now = simulation.nanoTime();
    boolean whole = !diskFailed && troubledNanos + 2 * FLUSH_SLACK_NANOS < now;
    if (whole && now - bornNanos >= FIRST_LOOK_NANOS) {
      forcedNanos = now - FLUSH_SLACK_NANOS;
    }
  }

  private SimulatedBroker launch() {
    SimulatedBroker broker = new SimulatedBroker(simulation, disk, metadata, settings, ++lives);
    broker.start(this::recovered);
    return broker;
  }

  /// What is there again must be what was promised.
  private void recovered(SimulatedBroker broker) {
    boolean loss = powerLost || diskFailed;
    if (loss) {
      world.lost();
    }
    world.forEachPartition(
        broker, (ledger, partition) -> ledger.recovered(partition, loss, forcedNanos));
  }

  private void awaitStart(SimulatedBroker broker, int mostMs) {
    for (int waited = 0;
        broker.process().alive() && !broker.ready() && broker.refusal() == null && waited < mostMs;
        waited += 5) {
      world.sleepMs(5);
    }
  }

  /// Starts a broker and checks that it is what it was, before a client sees it.
  void startBroker() {
    bornNanos = simulation.nanoTime();
    SimulatedBroker broker = launch();
    awaitStart(broker, 60_000);
    if (!broker.ready()) {
      throw new AssertionError("the broker does not start: " + broker.refusal());
    }
    world.forEachPartition(broker, this::inspect);
    powerLost = false;
    diskFailed = false;
    world.broker(broker);
    inspectGroups(broker);
    inspectCoordinator();
  }

  /// Holds what a partition tells about itself against its batches. Coordinators may be writing
  /// meanwhile: waits for a moment in which all of it is visible.
  private void inspect(PartitionLedger ledger, Partition partition) {
    for (int tries = 0; tries < 1_000; tries++) {
      long start = partition.logStartOffset();
      long end = partition.highWatermark();
      if (end == partition.logEndOffset()) {
        LogReplay replay = LogReplay.of(partition, start, end);
        if (replay == null) {
          throw new AssertionError(partition.id() + " cannot be read after recovery");
        }
        Map<Long, LogReplay.Tail> recovered = LogReplay.recovered(partition);
        long stable = partition.lastStableOffset();
        if (end == partition.logEndOffset()) {
          ledger.audit(partition, replay);
          if (start == 0 && !recovered.equals(replay.producers())) {
            throw new AssertionError(
                partition.id()
                    + ": recovered producers "
                    + recovered
                    + ", replayed "
                    + replay.producers());
          }
          inspectTransactions(partition, replay, start, stable);
          return;
        }
      }
      world.sleepMs(5);
    }
    throw new AssertionError(
        partition.id()
            + " is visible to "
            + partition.highWatermark()
            + " and not to its end "
            + partition.logEndOffset());
  }

  private void inspectTransactions(Partition partition, LogReplay replay, long start, long stable) {
    long open = replay.firstOpen(partition.highWatermark());
    if (start == 0 ? stable != open : stable > open) {
      throw new AssertionError(partition.id() + " is stable to " + stable + ", not " + open);
    }
    List<Keyed> seen = new ArrayList<>();
    for (long next = start; next < stable; ) {
      long read = LogReplay.readCommitted(partition.reader(), next, seen);
      if (read <= next) {
        throw new AssertionError(partition.id() + ": nothing committed is read at " + next);
      }
      next = read;
    }
    List<Keyed> expected = replay.committed(start, stable);
    if (!expected.equals(seen)) {
      Set<Keyed> more = new LinkedHashSet<>(seen);
      more.removeAll(new HashSet<>(expected));
      Set<Keyed> less = new LinkedHashSet<>(expected);
      less.removeAll(new HashSet<>(seen));
      throw new AssertionError(
          partition.id() + ": read_committed shows " + more + " and does not show " + less);
    }
    String name = partition.id().toString();
    for (LogReplay.Batch batch : replay.batches()) {
      Boolean outcome = replay.outcome(batch);
      if (outcome != null) {
        for (Keyed record : batch.records()) {
          world.transactions().shown(name, record.key(), outcome);
        }
      }
    }
  }

  private void inspectGroups(SimulatedBroker broker) {
    Map<String, Long> told = world.groupLedger().committed();
    for (Map.Entry<String, Long> entry : new TreeMap<>(told).entrySet()) {
      FetchedOffsets fetched = null;
      for (int tries = 0;
          tries < 100 && (fetched == null || fetched.error() != ErrorCode.NONE);
          tries++) {
        fetched =
            world.ask(
                "inspector",
                (b, to) ->
                    b.groups()
                        .fetchOffsets(
                            world.group(), List.of(BrokerSimulation.key(entry.getKey())), true)
                        .thenAccept(to));
        world.sleepMs(10);
      }
      if (fetched == null || fetched.error() != ErrorCode.NONE) {
        throw new AssertionError("the coordinator is not loaded: " + fetched);
      }
      long offset = fetched.offsets().getFirst().offset();
      if (offset < entry.getValue()) {
        throw new AssertionError(
            "recovered offset of " + entry + " is " + offset + " in " + broker.process().name());
      }
    }
  }

  /// Holds what the coordinator knows against its log.
  private void inspectCoordinator() {
    String difference = "not asked";
    for (int tries = 0; tries < 1_000 && difference != null; tries++) {
      String[] found = {"no answer"};
      world.<Boolean>ask(
          "inspector",
          (b, to) -> {
            found[0] = CoordinatorReplay.difference(b.partitions(), b.transactions());
            to.accept(true);
          });
      difference = found[0];
      world.sleepMs(10);
    }
    if (difference != null) {
      throw new AssertionError("the transaction coordinator: " + difference);
    }
  }

  /// Nothing goes on any more: no transaction is open, and offsets are those of the last one that
  /// was committed.
  private void inspectEnds(SimulatedBroker broker) {
    if (world.transactions().suspended()) {
      return;
    }
    world.forEachPartition(
        broker,
        (ledger, partition) -> {
          if (partition.lastStableOffset() != partition.highWatermark()) {
            throw new AssertionError(
                partition.id()
                    + " hangs at "
                    + partition.lastStableOffset()
                    + " of "
                    + partition.highWatermark());
          }
        });
    for (String id : world.transactionalIds()) {
      FetchedOffsets fetched =
          world.ask(
              "inspector",
              (b, to) ->
                  b.groups()
                      .fetchOffsets(
                          TransactionalClient.group(id),
                          List.of(BrokerSimulation.key(TransactionalClient.INPUT)),
                          true)
                      .thenAccept(to));
      if (fetched == null
          || fetched.error() != ErrorCode.NONE
          || fetched.offsets().getFirst().error() != ErrorCode.NONE) {
        throw new AssertionError("the offset of " + id + " is not stable: " + fetched);
      }
      world.transactions().lastOffset(id, fetched.offsets().getFirst().offset());
    }
    simulation.note(world.transactions().summary());
  }

  /// Looks at everything, stops in order, and looks at it again.
  void end() {
    disk.heal();
    // Longer than a transaction's timeout, what the network holds back, and retention.
    world.sleepMs(25_000);
    SimulatedBroker broker = world.broker();
    if (broker == null) {
      throw new AssertionError("no broker");
    }
    Map<String, Long> ends = new HashMap<>();
    world.forEachPartition(
        broker,
        (ledger, partition) -> {
          inspect(ledger, partition);
          if (ledger.faded() && partition.logStartOffset() != partition.highWatermark()) {
            throw new AssertionError(
                partition.id()
                    + " still begins at "
                    + partition.logStartOffset()
                    + " and ends at "
                    + partition.highWatermark());
          }
          ends.put(partition.id().toString(), partition.logEndOffset());
        });
    inspectEnds(broker);
    awaitDeath(broker, 30_000, broker.stop());
    startBroker();
    SimulatedBroker again = world.broker();
    if (again == null) {
      throw new AssertionError("no broker");
    }
    world.forEachPartition(
        again,
        (ledger, partition) -> {
          long before = ends.getOrDefault(partition.id().toString(), -1L);
          if (partition.logEndOffset() != before) {
            throw new AssertionError(
                partition.id() + " ended at " + before + ", now " + partition.logEndOffset());
          }
        });
  }
}
