package io.takhin.distribution.simulation;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.partition.Partition;
import io.takhin.distribution.simulation.LogReplay.Keyed;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Reads all partitions as a read_committed consumer, and the offsets that transactions committed:
/// whatever it sees is committed for good.
final class CommittedReader {
  private final BrokerSimulation world;
  private final TransactionLedger ledger;
  private final Map<String, Long> positions = new TreeMap<>();

  CommittedReader(BrokerSimulation world) {
    this.world = world;
    this.ledger = world.transactions();
  }

  void run() {
    List<String> partitions = world.stablePartitions();
    for (int i = 0; !world.over(); i++) {
      poll(partitions.get(i % partitions.size()));
      if (world.chance(0.2)) {
        List<String> ids = world.transactionalIds();
        offset(ids.get(world.random().nextInt(ids.size())));
      }
      world.sleepMs(world.random().nextInt(200));
    }
  }

  private void poll(String name) {
    long from = positions.getOrDefault(name, 0L);
    Long next =
        world.ask(
            "committed",
            (broker, to) -> {
              Partition partition = world.partition(broker, name);
              if (partition == null) {
                to.accept(from);
                return;
              }
              List<Keyed> seen = new ArrayList<>();
              long start = Math.max(from, partition.logStartOffset());
              long end = LogReplay.readCommitted(partition.reader(), start, seen);
              if (broker.process().alive()) {
                seen.forEach(record -> ledger.shown(name, record.key(), true));
              }
              to.accept(end < 0 ? start : end);
            });
    if (next != null) {
      positions.put(name, next);
    }
    if (ledger.suspended()) {
      positions.clear();
    }
  }

  private void offset(String id) {
    OffsetKey key = BrokerSimulation.key(TransactionalClient.INPUT);
    world.<ErrorCode>ask(
        "committed",
        (b, to) ->
            b.groups()
                .fetchOffsets(TransactionalClient.group(id), List.of(key), true)
                .thenAccept(
                    fetched -> {
                      if (b.process().alive()) {
                        shown(id, fetched);
                      }
                      to.accept(fetched.error());
                    }));
  }

  private void shown(String id, FetchedOffsets fetched) {
    if (fetched.error() == ErrorCode.NONE) {
      FetchedOffset offset = fetched.offsets().getFirst();
      if (offset.error() == ErrorCode.NONE) {
        ledger.stableOffset(id, offset.offset());
      }
    }
  }
}
