package io.takhin.broker.partition;

import java.util.LinkedHashMap;
import java.util.Map;

/// Of each producer the lowest sequence of those of its batches that wanted to begin a transaction
/// here and failed. It will send them again; a later one that was on its way meanwhile must not get
/// in before them, or they could never follow, and the producer would end with
/// OUT_OF_ORDER_SEQUENCE_NUMBER.
///
/// An entry goes when a batch of the producer is written, or a marker ends the transaction. Who
/// makes up producer ids makes the oldest of [#MOST] entries go; their producers are no worse off
/// than without one.
///
/// Threading: any thread; the lock is held for a map operation, once for each transaction.
final class LowestSequences {
  static final int MOST = 256;

  private record Lowest(short epoch, int sequence) {}

  // Guarded by this.
  private final Map<Long, Lowest> byProducer = new LinkedHashMap<>();

  /// A batch that wanted to begin a transaction was not written now.
  synchronized void failed(long producerId, short epoch, int sequence) {
    Lowest known = byProducer.get(producerId);
    boolean lower =
        known == null || epoch > known.epoch || (epoch == known.epoch && sequence < known.sequence);
    if (!lower) {
      return;
    }
    byProducer.put(producerId, new Lowest(epoch, sequence));
    if (byProducer.size() > MOST) {
      var oldest = byProducer.keySet().iterator();
      oldest.next();
      oldest.remove();
    }
  }

  /// The highest sequence with which a batch of this epoch may begin a transaction.
  synchronized int highest(long producerId, short epoch) {
    Lowest known = byProducer.get(producerId);
    return known == null || epoch > known.epoch ? Integer.MAX_VALUE : known.sequence;
  }

  /// A batch of the producer was written.
  synchronized void written(long producerId) {
    byProducer.remove(producerId);
  }

  /// A marker was written. With transaction version 2 it has the epoch of the next transaction,
  /// whose batches may have failed already.
  synchronized void ended(long producerId, short epoch, int transactionVersion) {
    Lowest known = byProducer.get(producerId);
    if (known != null && (transactionVersion < 2 || known.epoch < epoch)) {
      byProducer.remove(producerId);
    }
  }

  synchronized int size() {
    return byProducer.size();
  }
}
