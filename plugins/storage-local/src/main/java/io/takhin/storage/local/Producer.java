package io.takhin.storage.local;

import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.TransactionMarker;
import io.takhin.storage.local.Transactions.Aborted;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/// What a log knows of one producer: its epoch and its last five batches (KIP-98), so that a
/// batch sent again is recognised.
///
/// A batch that is on its way to the disk is *staged*: it counts when the write succeeded. At most
/// one is staged at a time.
///
/// Threading: the thread in the log's gate.
final class Producer {
  static final int REMEMBERED = 5;
  static final int NO_SEQUENCE = -1;
  static final short NO_EPOCH = -1;

  final long id;
  short epoch = NO_EPOCH;
  int coordinatorEpoch = -1;
  long transactionFirstOffset = -1;
  long lastTimestampMs = -1;

  private final int[] lastSequences = new int[REMEMBERED];
  private final int[] deltas = new int[REMEMBERED];
  private final long[] lastOffsets = new long[REMEMBERED];
  private final long[] timestamps = new long[REMEMBERED];
  private int size;

  private boolean staged;
  private short stagedEpoch;
  private int stagedLastSequence;
  private int stagedDelta;
  private long stagedLastOffset;
  private long stagedTimestampMs;
  private boolean stagedTransactional;
  private @Nullable TransactionMarker stagedMarker;

  Producer(long id) {
    this.id = id;
  }

  /// Whether the log has something of it: its first write did not fail.
  boolean known() {
    return epoch != NO_EPOCH || size > 0;
  }

  boolean staged() {
    return staged;
  }

  int size() {
    return size;
  }

  /// How many sequence numbers lie between two, around the wrap.
  static int lastSequence(int first, int delta) {
    long last = (long) first + delta;
    return (int) (last > Integer.MAX_VALUE ? last - Integer.MAX_VALUE - 1 : last);
  }

  private static int firstSequence(int last, int delta) {
    long first = (long) last - delta;
    return (int) (first < 0 ? first + Integer.MAX_VALUE + 1 : first);
  }

  int lastSequence() {
    return size == 0 ? NO_SEQUENCE : lastSequences[size - 1];
  }

  int lastSequence(int i) {
    return lastSequences[i];
  }

  int delta(int i) {
    return deltas[i];
  }

  long lastOffset(int i) {
    return lastOffsets[i];
  }

  long timestampMs(int i) {
    return timestamps[i];
  }

  long lastOffset() {
    return size == 0 ? -1 : lastOffsets[size - 1];
  }

  /// The remembered batch with these sequence numbers; -1 if there is none.
  int find(int firstSequence, int delta) {
    for (int i = size - 1; i >= 0; i--) {
      if (deltas[i] == delta && firstSequence(lastSequences[i], delta) == firstSequence) {
        return i;
      }
    }
    return -1;
  }

  /// Whether a batch that begins with this sequence may follow.
  boolean follows(short batchEpoch, int firstSequence) {
    if (epoch == NO_EPOCH) {
      return true; // of a producer without an epoch nothing is known, however much it wrote
    }
    if (batchEpoch != epoch) {
      return firstSequence == 0;
    }
    // An epoch that began with a marker has no batch yet: its first one begins at 0, too.
    int last = lastSequence();
    return firstSequence == (last == Integer.MAX_VALUE ? 0 : last + 1);
  }

  /// Stages the batch at `at`, whose offsets are assigned.
  ///
  /// @param marker what it holds if it ends a transaction; else null
  void stage(ByteBuffer batch, int at, @Nullable TransactionMarker marker) {
    staged = true;
    stagedMarker = marker;
    stagedEpoch = RecordBatch.producerEpoch(batch, at);
    stagedDelta = RecordBatch.lastOffsetDelta(batch, at);
    int sequence = RecordBatch.baseSequence(batch, at);
    stagedLastSequence = sequence < 0 ? NO_SEQUENCE : lastSequence(sequence, stagedDelta);
    stagedLastOffset = RecordBatch.lastOffset(batch, at);
    stagedTimestampMs = RecordBatch.maxTimestamp(batch, at);
    stagedTransactional = RecordBatch.transactional(batch, at);
  }

  void dropStaged() {
    staged = false;
  }

  /// The staged batch is in the log.
  ///
  /// @return the transaction that it aborted; null for none
  @Nullable Aborted commitStaged(Transactions transactions) {
    if (!staged) {
      return null;
    }
    staged = false;
    TransactionMarker marker = stagedMarker;
    if (marker != null) {
      stagedMarker = null;
      return endTransaction(marker, transactions);
    }
    epoch(stagedEpoch);
    if (stagedLastSequence == NO_SEQUENCE) {
      lastTimestampMs = stagedTimestampMs; // a coordinator's, which counts no sequences
    } else {
      add(stagedLastSequence, stagedDelta, stagedLastOffset, stagedTimestampMs);
    }
    if (stagedTransactional) {
      if (transactionFirstOffset < 0) {
        transactionFirstOffset = stagedLastOffset - stagedDelta;
      }
      transactions.wrote(id, epoch, transactionFirstOffset);
    }
    return null;
  }

  private @Nullable Aborted endTransaction(TransactionMarker marker, Transactions transactions) {
    if (stagedEpoch >= epoch) {
      epoch(stagedEpoch);
    }
    long first = transactionFirstOffset;
    transactionFirstOffset = -1;
    lastTimestampMs = stagedTimestampMs;
    coordinatorEpoch = marker.coordinatorEpoch();
    if (first < 0) {
      return null;
    }
    long stable = transactions.ended(id, first, stagedLastOffset);
    return marker.commit() ? null : new Aborted(id, first, stagedLastOffset, stable);
  }

  /// A new epoch starts without batches.
  void epoch(short newEpoch) {
    if (newEpoch != epoch) {
      epoch = newEpoch;
      size = 0;
    }
  }

  /// Remembers a batch and forgets the oldest of six.
  void add(int lastSequence, int delta, long lastOffset, long timestampMs) {
    if (size == REMEMBERED) {
      System.arraycopy(lastSequences, 1, lastSequences, 0, REMEMBERED - 1);
      System.arraycopy(deltas, 1, deltas, 0, REMEMBERED - 1);
      System.arraycopy(lastOffsets, 1, lastOffsets, 0, REMEMBERED - 1);
      System.arraycopy(timestamps, 1, timestamps, 0, REMEMBERED - 1);
      size--;
    }
    lastSequences[size] = lastSequence;
    deltas[size] = delta;
    lastOffsets[size] = lastOffset;
    timestamps[size] = timestampMs;
    size++;
    lastTimestampMs = timestampMs;
  }
}
