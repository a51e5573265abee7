package io.takhin.protocol.kafka.fetch;

import io.takhin.api.ErrorCode;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.EpochLookup;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.partition.PartitionWatcher;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.protocol.kafka.topics.TopicHandle;
import io.takhin.protocol.kafka.topics.TopicHandles;
import java.nio.ByteBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One consumer's place in one partition: stays from fetch to fetch, so that a fetch at the next
/// offset needs no lookup of topic, partition or position. It watches its partition all that time,
/// and a fetch skips it while it is clean: nothing to read, and nothing new since.
///
/// ```
///             read found nothing
///   dirty ─────────────────────────> clean
///     ^───── new data, leader change, ──┘
///            another offset asked for
/// ```
///
/// Threading: the connection's loop, but for the watcher's methods.
final class FetchCursor implements PartitionWatcher {
  private final CursorSet set;
  private final byte[] key;
  private final boolean byId;
  private final int index;
  private final int hash;

  FetchCursor previous = this;
  FetchCursor next = this;
  boolean listed;
  long request;

  private @Nullable Topic topic;
  private @Nullable Partition partition;
  private @Nullable PartitionReader reader;
  private long offset = -1;
  private int leaderEpoch;
  private int lastFetchedEpoch;
  private int maxBytes;
  private boolean clean;
  private volatile boolean news;

  // What the last evaluation found.
  ErrorCode error = ErrorCode.NONE;
  long highWatermark = -1;
  long lastStableOffset = -1;
  long logStartOffset = -1;
  @Nullable EpochLookup diverging;
  @Nullable LogSlice slice;
  List<AbortedTransaction> aborted = List.of();

  // What an incremental session told last.
  long toldHighWatermark = -1;
  long toldLogStartOffset = -1;

  FetchCursor(CursorSet set, byte[] key, boolean byId, int index, int hash) {
    this.set = set;
    this.key = key;
    this.byId = byId;
    this.index = index;
    this.hash = hash;
  }

  byte[] key() {
    return key;
  }

  int index() {
    return index;
  }

  int hash() {
    return hash;
  }

  @Nullable Topic topic() {
    return topic;
  }

  boolean matches(ByteBuffer frame, int at, int length, int wantedIndex) {
    if (index != wantedIndex || key.length != length) {
      return false;
    }
    for (int i = 0; i < length; i++) {
      if (key[i] != frame.get(at + i)) {
        return false;
      }
    }
    return true;
  }

  /// What a request wants now.
  void want(long fetchOffset, int currentLeaderEpoch, int lastEpoch, int bytes) {
    if (offset != fetchOffset
        || leaderEpoch != currentLeaderEpoch
        || lastFetchedEpoch != lastEpoch) {
      offset = fetchOffset;
      leaderEpoch = currentLeaderEpoch;
      lastFetchedEpoch = lastEpoch;
      clean = false;
    }
    maxBytes = bytes;
  }

  /// Forgets that nothing was found: the isolation changed.
  void soil() {
    clean = false;
  }

  /// Reads what there is.
  ///
  /// @param budget bytes that the answer may still take; with none left, errors are told all the
  ///     same
  /// @param first whether nothing was read for this answer yet
  void evaluate(TopicHandles topics, int budget, boolean first, Isolation isolation) {
    diverging = null;
    slice = null;
    aborted = List.of();
    Partition readable = resolve(topics);
    if (readable == null) {
      clean = false;
      highWatermark = -1;
      lastStableOffset = -1;
      logStartOffset = -1;
      return;
    }
    if (news) {
      news = false;
      clean = false;
    }
    PartitionReader cursor = reader;
    if (clean || cursor == null) {
      error = ErrorCode.NONE;
      highWatermark = readable.highWatermark();
      lastStableOffset = readable.lastStableOffset();
      logStartOffset = readable.logStartOffset();
      return;
    }
    PartitionRead read =
        cursor.read(
            offset,
            leaderEpoch,
            lastFetchedEpoch,
            Math.min(Math.max(maxBytes, 0), Math.max(budget, 0)),
            first,
            isolation);
    error = read.error();
    highWatermark = read.highWatermark();
    lastStableOffset = read.lastStableOffset();
    logStartOffset = read.logStartOffset();
    diverging = read.diverging();
    LogSlice records = read.records();
    boolean empty = records == null || records.sizeBytes() == 0;
    if (empty && records != null) {
      records.close();
    }
    slice = empty ? null : records;
    aborted = read.aborted();
    long visibleUntil =
        isolation == Isolation.READ_COMMITTED ? read.lastStableOffset() : read.highWatermark();
    clean = empty && error == ErrorCode.NONE && diverging == null && offset >= visibleUntil;
  }

  private @Nullable Partition resolve(TopicHandles topics) {
    Topic known = topic;
    if (known == null || known.deleted()) {
      leave();
      TopicHandle handle =
          byId
              ? topics.byId(ByteBuffer.wrap(key).getLong(0), ByteBuffer.wrap(key).getLong(8))
              : topics.byName(ByteBuffer.wrap(key), 0, key.length);
      if (handle == null) {
        error = byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        return null;
      }
      known = handle.topic();
      topic = known;
    }
    Partition current = partition;
    if (current == null) {
      current = known.partition(index);
      if (current == null) {
        error =
            index >= 0 && index < known.partitionCount()
                ? ErrorCode.NOT_LEADER_OR_FOLLOWER
                : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
        return null;
      }
      partition = current;
      reader = current.reader();
      clean = false;
      current.watch(this);
    }
    return current;
  }

  /// How many bytes the read lies behind the end of the log, by the log's mean size of a record.
  long bytesBehind() {
    Partition at = partition;
    if (at == null) {
      return 0;
    }
    long end = at.logEndOffset();
    long records = end - at.logStartOffset();
    return records <= 0 ? 0 : (long) ((double) at.sizeBytes() / records * (end - offset));
  }

  /// Stops watching and lets go of the partition.
  void leave() {
    Partition left = partition;
    partition = null;
    reader = null;
    topic = null;
    if (left != null) {
      left.unwatch(this);
    }
  }

  void closeSlice() {
    LogSlice held = slice;
    slice = null;
    if (held != null) {
      held.close();
    }
  }

  boolean has(Partition other) {
    return partition == other;
  }

  @Override
  public void advanced(Partition from, long bytes) {
    news = true;
    set.advanced(bytes);
  }

  @Override
  public void changed(Partition from) {
    news = true;
    set.changed();
  }
}
