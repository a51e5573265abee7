package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.coordinator.Shard;
import io.takhin.coordinator.Shard.Phase;
import io.takhin.coordinator.transaction.Effects.Markers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes the outcome of a transaction into every partition that it touched: again and again until
/// it is there, or until the partition is gone (a deleted topic holds nobody up).
///
/// ```
/// written                       done
/// INVALID_PRODUCER_EPOCH        done: the log is past this epoch, nothing is open under it
/// topic or partition deleted    done
/// anything else                 again, after 10 ms, 20 ms, ... 1 s
/// ```
///
/// Threads: the shard's, the log's, and the scheduler's for what is tried again.
final class MarkerWriter {
  private static final Logger LOG = LoggerFactory.getLogger(MarkerWriter.class);
  private static final String OFFSETS_TOPIC = "__consumer_offsets";
  private static final long FIRST_DELAY_MS = 10;
  private static final long LAST_DELAY_MS = 1_000;
  private static final int WARN_AT_ATTEMPT = 10;

  private final PluginContext context;
  private final Cluster cluster;
  private final PartitionService partitions;
  private final GroupCoordinator groups;
  private final LongAdder retries = new LongAdder();
  private volatile boolean closed;

  MarkerWriter(
      PluginContext context,
      Cluster cluster,
      PartitionService partitions,
      GroupCoordinator groups) {
    this.context = context;
    this.cluster = cluster;
    this.partitions = partitions;
    this.groups = groups;
  }

  void close() {
    closed = true;
  }

  /// Attempts after the first.
  long retryCount() {
    return retries.sum();
  }

  /// Writes the markers, and tells the machine when all are there.
  void write(Shard<TransactionStateMachine, TransactionRecord, Effects> shard, Markers markers) {
    Transmission transmission = new Transmission(shard, markers);
    for (TxnPartition each : markers.partitions()) {
      transmission.attempt(each, 1);
    }
  }

  private final class Transmission {
    private final Shard<TransactionStateMachine, TransactionRecord, Effects> shard;
    private final Markers markers;
    private final AtomicInteger missing;

    Transmission(
        Shard<TransactionStateMachine, TransactionRecord, Effects> shard, Markers markers) {
      this.shard = shard;
      this.markers = markers;
      missing = new AtomicInteger(markers.partitions().size());
    }

    void attempt(TxnPartition to, int number) {
      if (closed || shard.phase() == Phase.RESIGNED) {
        return; // the next coordinator finds the decision in the log
      }
      if (deleted(to)) {
        settled(to, number, ErrorCode.NONE);
        return;
      }
      CompletableFuture<ErrorCode> written;
      try {
        written = end(to);
      } catch (RuntimeException e) {
        LOG.error("A marker for {}-{} threw", to.topic(), to.partition(), e);
        written = CompletableFuture.completedFuture(ErrorCode.UNKNOWN_SERVER_ERROR);
      }
      var _ =
          written.whenComplete(
              (error, failure) ->
                  settled(to, number, failure == null ? error : ErrorCode.UNKNOWN_SERVER_ERROR));
    }

    private CompletableFuture<ErrorCode> end(TxnPartition to) {
      if (to.topic().equals(OFFSETS_TOPIC)) {
        return groups.endTransaction(
            to.partition(),
            markers.producerId(),
            markers.producerEpoch(),
            markers.coordinatorEpoch(),
            markers.commit(),
            markers.transactionVersion());
      }
      PartitionService.Topic topic = partitions.topic(to.topic());
      Partition partition = topic == null ? null : topic.partition(to.partition());
      return partition == null
          ? CompletableFuture.completedFuture(ErrorCode.NOT_LEADER_OR_FOLLOWER)
          : partition.endTransaction(
              markers.producerId(),
              markers.producerEpoch(),
              markers.coordinatorEpoch(),
              markers.commit(),
              markers.transactionVersion());
    }

    private void settled(TxnPartition to, int number, ErrorCode error) {
      if (error == ErrorCode.NONE || error == ErrorCode.INVALID_PRODUCER_EPOCH) {
        if (missing.decrementAndGet() == 0) {
          shard.submit((machine, now, out) -> machine.markersWritten(now, markers, out));
        }
        return;
      }
      retries.increment();
      if (number == WARN_AT_ATTEMPT) {
        LOG.warn(
            "The end of transaction {} cannot be written to {}-{}: {}; trying on",
            markers.transactionalId(),
            to.topic(),
            to.partition(),
            error);
      }
      long delayMs = Math.min(LAST_DELAY_MS, FIRST_DELAY_MS << Math.min(number - 1, 10));
      try {
        context.scheduler().schedule(() -> attempt(to, number + 1), delayMs, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        LOG.debug("The kernel stops; the decision is in the log", e);
      }
    }
  }

  private boolean deleted(TxnPartition which) {
    TopicImage topic = cluster.image().topic(which.topic());
    return topic == null || which.partition() >= topic.partitions().size();
  }
}
