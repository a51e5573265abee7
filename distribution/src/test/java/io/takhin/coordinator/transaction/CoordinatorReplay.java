package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.TransactionDescription;
import io.takhin.coordinator.RecordCodec;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The last record of each transactional id in `__transaction_state`, and whether the coordinator
/// says the same. It stands in the plugin's package because the records' layout is nobody else's
/// business; tests of the distribution run on the class path.
public final class CoordinatorReplay {
  private static final int READ_BYTES = 65_536;
  private static final RecordCodec<TransactionRecord> CODEC = new TransactionRecordCodec();

  private CoordinatorReplay() {}

  /// What the coordinator says otherwise than its log, or why that cannot be told now; null if they
  /// agree.
  public static @Nullable String difference(
      PartitionService partitions, TransactionCoordinator coordinator) {
    PartitionService.Topic topic = partitions.topic(TransactionKind.TOPIC);
    if (topic == null) {
      return null; // nobody has used a transaction yet
    }
    TreeMap<String, @Nullable Transaction> last = new TreeMap<>();
    for (int i = 0; i < topic.partitionCount(); i++) {
      Partition partition = topic.partition(i);
      if (partition == null || partition.highWatermark() != partition.logEndOffset()) {
        return "partition " + i + " is not all visible";
      }
      String trouble = read(partition, last);
      if (trouble != null) {
        return trouble;
      }
    }
    for (TransactionDescription told :
        coordinator.describe(List.copyOf(last.keySet())).resultNow()) {
      Transaction logged = last.get(told.transactionalId());
      if (!same(told, logged)) {
        return told + " is in the log as " + logged;
      }
    }
    return null;
  }

  private static boolean same(TransactionDescription told, @Nullable Transaction logged) {
    if (logged == null || told.error() != ErrorCode.NONE) {
      return logged == null && told.error() == ErrorCode.TRANSACTIONAL_ID_NOT_FOUND;
    }
    return told.state().equals(logged.state().title())
        && told.producerId() == logged.producerId()
        && told.producerEpoch() == logged.producerEpoch()
        && told.timeoutMs() == logged.timeoutMs()
        && Set.copyOf(told.partitions()).equals(logged.partitions());
  }

  private static @Nullable String read(
      Partition partition, TreeMap<String, @Nullable Transaction> last) {
    long next = partition.logStartOffset();
    while (next < partition.highWatermark()) {
      PartitionRead read =
          partition.reader().read(next, -1, -1, READ_BYTES, true, Isolation.READ_UNCOMMITTED);
      LogSlice slice = read.records();
      if (slice == null) {
        return partition.id() + " cannot be read: " + read.error();
      }
      ByteBuffer bytes = ByteBuffer.allocate(slice.sizeBytes());
      try (slice) {
        slice.copyTo(0, bytes);
      }
      bytes.flip();
      if (!bytes.hasRemaining()) {
        throw new AssertionError(
            partition.id() + ": nothing at " + next + ", visible to " + partition.highWatermark());
      }
      for (int at = 0; at < bytes.limit(); at += (int) RecordBatch.sizeBytes(bytes, at)) {
        Records.visit(
            bytes,
            at,
            Records.payload(bytes, at),
            (offset, ms, key, value) -> {
              TransactionRecord record = key == null ? null : CODEC.decode(key, value);
              if (record == null) {
                throw new AssertionError(partition.id() + " has a strange record at " + offset);
              }
              last.put(record.transactionalId(), record.value());
            });
        next = RecordBatch.lastOffset(bytes, at) + 1;
      }
    }
    return null;
  }
}
