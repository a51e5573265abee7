package io.takhin.testkit.storage;

import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The transactions in a list of batches, read anew from the first batch each time: slow and plain.
record InMemoryTransactions(List<Transaction> all) {
  /// A transaction.
  ///
  /// @param end offset of its marker; greater than all offsets while it is open
  record Transaction(long producerId, short epoch, long first, long end, boolean aborted) {}

  static InMemoryTransactions of(List<InMemoryBatch> batches) {
    List<Transaction> found = new ArrayList<>();
    Map<Long, Transaction> open = new HashMap<>();
    for (InMemoryBatch batch : batches) {
      long id = batch.producerId();
      TransactionMarker marker = batch.marker();
      if (marker != null) {
        Transaction ended = open.remove(id);
        if (ended != null) {
          found.add(
              new Transaction(id, ended.epoch, ended.first, batch.baseOffset(), !marker.commit()));
        }
      } else if (batch.transactional()) {
        Transaction known = open.get(id);
        long first = known == null ? batch.baseOffset() : known.first;
        open.put(id, new Transaction(id, batch.producerEpoch(), first, Long.MAX_VALUE, false));
      }
    }
    found.addAll(open.values());
    found.sort(Comparator.comparingLong(Transaction::first));
    return new InMemoryTransactions(found);
  }

  @Nullable Transaction open(long producerId) {
    for (Transaction each : all) {
      if (each.producerId == producerId && each.end == Long.MAX_VALUE) {
        return each;
      }
    }
    return null;
  }

  long firstUnstable(long highWatermark) {
    for (Transaction each : all) {
      if (each.end >= highWatermark) {
        return each.first;
      }
    }
    return -1;
  }

  List<AbortedTransaction> aborted(long from, long until) {
    return all.stream()
        .filter(each -> each.aborted && each.first < until && each.end >= from)
        .map(each -> new AbortedTransaction(each.producerId, each.first))
        .toList();
  }
}
