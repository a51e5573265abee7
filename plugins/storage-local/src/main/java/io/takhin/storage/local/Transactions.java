package io.takhin.storage.local;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/// The transactions of one log that read_committed readers must not pass yet.
///
/// ```
///              first transactional batch            marker written
///   (verified) ------------------------> open --------------------> ended
///                                                                     | high watermark passes
///                                                                     v the marker
///                                                                   stable: forgotten
/// ```
///
/// Threading: the thread in the log's gate opens and ends; whoever moves the high watermark makes
/// stable; any thread asks. The lock of this object is held for a few map operations, and is not
/// taken at all by logs without transactions.
final class Transactions {
  private static final long NONE = Long.MAX_VALUE;

  private final AtomicLong tokens = new AtomicLong();
  private final Map<Long, Verification> verifications = new ConcurrentHashMap<>();
  private volatile long firstUnstable = NONE;
  private volatile boolean anyEnded;
  // Guarded by this.
  private final Map<Long, Open> byProducer = new HashMap<>();
  private final TreeMap<Long, Open> open = new TreeMap<>();
  // First offsets, and those of their markers.
  private final TreeMap<Long, Long> ended = new TreeMap<>();

  /// The first offset of the oldest; greater than all offsets if there is none.
  long firstUnstable() {
    return firstUnstable;
  }

  /// The producer wrote into a transaction that began at `firstOffset`.
  void wrote(long producerId, short epoch, long firstOffset) {
    synchronized (this) {
      Open known = byProducer.get(producerId);
      if (known != null && known.epoch == epoch) {
        return;
      }
      Open now = new Open(epoch, firstOffset);
      byProducer.put(producerId, now);
      open.put(firstOffset, now);
      publish();
    }
  }

  /// A marker ended the producer's transaction, if it had one.
  ///
  /// @return what was undecided first, as the marker was written: Kafka keeps it in the transaction
  ///     index, so that a search can end early
  long ended(long producerId, long firstOffset, long markerOffset) {
    synchronized (this) {
      byProducer.remove(producerId);
      if (open.remove(firstOffset) != null) {
        ended.put(firstOffset, markerOffset);
        anyEnded = true;
      }
      publish();
      return open.isEmpty() ? markerOffset + 1 : open.firstKey();
    }
  }

  /// All below is visible: transactions whose markers are there are stable.
  void highWatermark(long offset) {
    if (!anyEnded) {
      return;
    }
    synchronized (this) {
      ended.values().removeIf(marker -> marker < offset);
      anyEnded = !ended.isEmpty();
      publish();
    }
  }

  private void publish() {
    long first = open.isEmpty() ? NONE : open.firstKey();
    firstUnstable = ended.isEmpty() ? first : Math.min(first, ended.firstKey());
  }

  /// Whether this producer has a transaction open under this epoch.
  boolean open(long producerId, short epoch) {
    if (firstUnstable == NONE) {
      return false;
    }
    synchronized (this) {
      Open known = byProducer.get(producerId);
      return known != null && known.epoch == epoch;
    }
  }

  /// Takes over what recovery found.
  synchronized void reset(List<Producer> producers) {
    clear();
    for (Producer producer : producers) {
      if (producer.transactionFirstOffset >= 0) {
        wrote(producer.id, producer.epoch, producer.transactionFirstOffset);
      }
    }
  }

  synchronized void clear() {
    byProducer.clear();
    open.clear();
    ended.clear();
    anyEnded = false;
    verifications.clear();
    publish();
  }

  /// Gives a token for a verification that begins.
  long beginVerification(long producerId, short epoch) {
    long token = tokens.incrementAndGet();
    verifications.put(producerId, new Verification(token, epoch));
    return token;
  }

  void endVerification(long producerId, long token) {
    verifications.computeIfPresent(producerId, (id, known) -> known.token == token ? null : known);
  }

  /// Whether no marker of the producer came since the token was given.
  boolean verified(long producerId, long token) {
    Verification known = verifications.get(producerId);
    return known != null && known.token == token;
  }

  /// A marker comes: answers about the transaction that it ends are worth nothing now.
  ///
  /// @param lastEpoch the greatest that this transaction can have
  void voidVerification(long producerId, int lastEpoch) {
    if (!verifications.isEmpty()) {
      verifications.computeIfPresent(
          producerId, (id, known) -> known.epoch <= lastEpoch ? null : known);
    }
  }

  private record Verification(long token, short epoch) {}

  private record Open(short epoch, long firstOffset) {}

  /// An aborted transaction as the transaction index has it.
  ///
  /// @param lastOffset that of its marker
  /// @param lastStableOffset what was undecided first when the marker was written
  record Aborted(long producerId, long firstOffset, long lastOffset, long lastStableOffset) {}
}
