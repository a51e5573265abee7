package io.takhin.storage.local;

import io.takhin.api.storage.LogAppend;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// Appends that go to the disk in one write.
///
/// Threading: the thread in a log's gate.
final class Gather {
  private static final int FIRST_CAPACITY = 16;

  /// What one call to the system takes.
  static final int MAX_APPENDS = 1024;

  private @Nullable LogAppend[] appends = new LogAppend[FIRST_CAPACITY];
  private @Nullable Producer[] producers = new Producer[FIRST_CAPACITY];
  private int[] positions = new int[FIRST_CAPACITY];
  private long[] baseOffsets = new long[FIRST_CAPACITY];
  private long[] lastOffsets = new long[FIRST_CAPACITY];
  private ByteBuffer[] buffers = new ByteBuffer[FIRST_CAPACITY];
  private int count;
  private int bytes;

  int count() {
    return count;
  }

  int bytes() {
    return bytes;
  }

  ByteBuffer[] buffers() {
    return buffers;
  }

  LogAppend append(int i) {
    return java.util.Objects.requireNonNull(appends[i]);
  }

  @Nullable Producer producer(int i) {
    return producers[i];
  }

  /// Where the append's records begin in its buffer.
  int position(int i) {
    return positions[i];
  }

  long baseOffset(int i) {
    return baseOffsets[i];
  }

  long lastOffset(int i) {
    return lastOffsets[i];
  }

  void add(LogAppend append, long baseOffset, long lastOffset, @Nullable Producer producer) {
    if (count == appends.length) {
      int capacity = count * 2;
      producers = Arrays.copyOf(producers, capacity);
      positions = Arrays.copyOf(positions, capacity);
      baseOffsets = Arrays.copyOf(baseOffsets, capacity);
      lastOffsets = Arrays.copyOf(lastOffsets, capacity);
      buffers = Arrays.copyOf(buffers, capacity);
      appends = Arrays.copyOf(appends, capacity);
    }
    ByteBuffer records = append.records();
    appends[count] = append;
    producers[count] = producer;
    positions[count] = records.position();
    baseOffsets[count] = baseOffset;
    lastOffsets[count] = lastOffset;
    buffers[count] = records;
    bytes += records.remaining();
    count++;
  }

  /// Writing moved the positions of the lent buffers: puts them back.
  void restorePositions() {
    for (int i = 0; i < count; i++) {
      buffers[i].position(positions[i]);
    }
  }

  private static final ByteBuffer NONE = ByteBuffer.allocate(0);

  void clear() {
    for (int i = 0; i < count; i++) {
      appends[i] = null;
      producers[i] = null;
      buffers[i] = NONE;
    }
    count = 0;
    bytes = 0;
  }

  /// A few gathers, lent to the threads in gates.
  static final class Pool {
    private static final int KEPT = 8;
    private final AtomicReferenceArray<@Nullable Gather> free = new AtomicReferenceArray<>(KEPT);

    Gather take() {
      for (int i = 0; i < KEPT; i++) {
        Gather gather = free.get(i) == null ? null : free.getAndSet(i, null);
        if (gather != null) {
          return gather;
        }
      }
      return new Gather();
    }

    void give(Gather gather) {
      gather.clear();
      for (int i = 0; i < KEPT; i++) {
        if (free.compareAndSet(i, null, gather)) {
          return;
        }
      }
    }
  }
}
