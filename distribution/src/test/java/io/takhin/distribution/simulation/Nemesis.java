package io.takhin.distribution.simulation;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.partition.Partition;
import io.takhin.api.storage.PartitionLog.ActiveProducer;
import io.takhin.distribution.simulation.PartitionLedger.ProducerTail;
import io.takhin.testkit.simulation.SimulatedDisk;
import io.takhin.testkit.simulation.Simulation;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What happens to a broker, and what must hold when it is back.
final class Nemesis {
  private static final long FLUSH_SLACK_NANOS = 4_000_000_000L;

  private final BrokerSimulation world;
  private final Simulation simulation;
  private final SimulatedDisk disk;
  private final List<MetadataRecord> metadata;
  private final SimulationSettings settings;
  private int lives;
  private boolean powerLost;
  private boolean diskFailed;
  private long deathNanos;
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
    broker.stop();
    awaitDeath(broker, 10_000);
    back(world.chance(0.3));
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
    // A page cache that dropped pages is not to be believed: the machine is booted anew.
    back(diskFailed || world.chance(0.5));
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
    deathNanos = simulation.nanoTime();
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

  private SimulatedBroker launch() {
    SimulatedBroker broker = new SimulatedBroker(simulation, disk, metadata, settings, ++lives);
    broker.start();
    return broker;
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
    SimulatedBroker broker = launch();
    awaitStart(broker, 60_000);
    if (!broker.ready()) {
      throw new AssertionError("the broker does not start: " + broker.refusal());
    }
    boolean loss = powerLost || diskFailed;
    boolean bounded = !diskFailed && troubledNanos + 2 * FLUSH_SLACK_NANOS < deathNanos;
    long lossAfter = bounded ? deathNanos - FLUSH_SLACK_NANOS : 0;
    if (loss) {
      world.lost();
    }
    world.forEachPartition(
        broker,
        (ledger, partition) -> {
          ledger.recovered(partition, loss, lossAfter);
          inspect(ledger, partition);
        });
    powerLost = false;
    diskFailed = false;
    world.broker(broker);
    inspectGroups(broker);
  }

  private void inspect(PartitionLedger ledger, Partition partition) {
    Map<Long, ProducerTail> replayed = new TreeMap<>();
    if (!ledger.audit(partition, replayed)) {
      throw new AssertionError(partition.id() + " cannot be read after recovery");
    }
    if (partition.logStartOffset() == 0) {
      Map<Long, ProducerTail> recovered = new TreeMap<>();
      for (ActiveProducer producer : partition.activeProducers()) {
        recovered.put(
            producer.producerId(),
            new ProducerTail(producer.producerEpoch(), producer.lastSequence()));
      }
      if (!recovered.equals(replayed)) {
        throw new AssertionError(
            partition.id() + ": recovered producers " + recovered + ", replayed " + replayed);
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

  /// Looks at everything, stops in order, and looks at it again.
  void end() {
    disk.heal();
    world.sleepMs(6_000);
    SimulatedBroker broker = world.broker();
    if (broker == null) {
      throw new AssertionError("no broker");
    }
    Map<String, Long> ends = new HashMap<>();
    world.forEachPartition(
        broker,
        (ledger, partition) -> {
          inspect(ledger, partition);
          ends.put(partition.id().toString(), partition.logEndOffset());
        });
    broker.stop();
    awaitDeath(broker, 30_000);
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
