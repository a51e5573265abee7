package io.takhin.coordinator.transaction;

import io.takhin.coordinator.CoordinatorKind;
import io.takhin.coordinator.InternalTopic;
import io.takhin.coordinator.RecordCodec;
import io.takhin.coordinator.Shard;
import java.util.Map;
import java.util.function.LongSupplier;

/// Transactions, kept in `__transaction_state`.
final class TransactionKind
    implements CoordinatorKind<TransactionStateMachine, TransactionRecord, Effects> {
  /// The internal topic.
  static final String TOPIC = "__transaction_state";

  private final TransactionConfig config;
  private final LongSupplier producerIds;
  private final TransactionCounters counters;
  private final MarkerWriter markers;
  private final RecordCodec<TransactionRecord> codec = new TransactionRecordCodec();
  private final InternalTopic.Definition topic;

  TransactionKind(
      TransactionConfig config,
      LongSupplier producerIds,
      TransactionCounters counters,
      MarkerWriter markers) {
    this.config = config;
    this.producerIds = producerIds;
    this.counters = counters;
    this.markers = markers;
    topic =
        new InternalTopic.Definition(
            TOPIC,
            config.partitions(),
            config.replicationFactor(),
            replicas ->
                Map.of(
                    "cleanup.policy", "compact",
                    "compression.type", "uncompressed",
                    "unclean.leader.election.enable", "false",
                    "min.insync.replicas", Integer.toString(Math.min(config.minIsr(), replicas)),
                    "segment.bytes", Integer.toString(config.segmentBytes())));
  }

  @Override
  public InternalTopic.Definition topic() {
    return topic;
  }

  @Override
  public String name() {
    return "transactions";
  }

  @Override
  public RecordCodec<TransactionRecord> codec() {
    return codec;
  }

  @Override
  public TransactionStateMachine machine(int leaderEpoch) {
    return new TransactionStateMachine(config, leaderEpoch, producerIds, counters);
  }

  @Override
  public Effects effects() {
    return new Effects();
  }

  @Override
  public String describe(TransactionStateMachine machine) {
    return machine.entries().size() + " transactional ids";
  }

  @Override
  public void perform(
      Shard<TransactionStateMachine, TransactionRecord, Effects> shard, Effects effects) {
    for (Effects.Markers wanted : effects.takeMarkers()) {
      markers.write(shard, wanted);
    }
  }
}
