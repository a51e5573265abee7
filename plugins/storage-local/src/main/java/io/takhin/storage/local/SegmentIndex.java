package io.takhin.storage.local;

import io.takhin.storage.local.Disk.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The sparse maps of one segment in memory, and their files. All numbers are relative to the
/// segment's base offset.
///
/// ```
/// .index      relative offset (4)  position (4)         of a batch: its last offset, its begin
/// .timeindex  timestamp (8)        relative offset (4)  the greatest timestamp up to that offset
/// ```
///
/// Threading: one thread adds (the log's gate), any number look up: entries are written before
/// their count is published. Saving and truncating exclude each other.
final class SegmentIndex {
  private static final Logger LOGGER = LoggerFactory.getLogger(SegmentIndex.class);
  private static final int ENTRY = 8;
  private static final int TIME_ENTRY = 12;
  private static final int FIRST_CAPACITY = 8;

  private int[] offsets = new int[FIRST_CAPACITY];
  private int[] positions = new int[FIRST_CAPACITY];
  private volatile int entries;

  private long[] timestamps = new long[FIRST_CAPACITY];
  private int[] timeOffsets = new int[FIRST_CAPACITY];
  private volatile int timeEntries;

  private int savedEntries;
  private int savedTimeEntries;

  int entries() {
    return entries;
  }

  int timeEntries() {
    return timeEntries;
  }

  /// Adds the batch that begins at `position`.
  void add(int lastOffset, int position) {
    int n = entries;
    if (n > 0 && offsets[n - 1] >= lastOffset) {
      return;
    }
    if (n == offsets.length) {
      int[] moreOffsets = Arrays.copyOf(offsets, n * 2);
      positions = Arrays.copyOf(positions, n * 2);
      offsets = moreOffsets;
    }
    offsets[n] = lastOffset;
    positions[n] = position;
    entries = n + 1;
  }

  /// Notes the greatest timestamp so far; nothing happens unless it grew.
  void addTime(long timestampMs, int offset) {
    int n = timeEntries;
    if (timestampMs < 0
        || (n > 0 && (timestamps[n - 1] >= timestampMs || timeOffsets[n - 1] >= offset))) {
      return;
    }
    if (n == timestamps.length) {
      timeOffsets = Arrays.copyOf(timeOffsets, n * 2);
      timestamps = Arrays.copyOf(timestamps, n * 2);
    }
    timestamps[n] = timestampMs;
    timeOffsets[n] = offset;
    timeEntries = n + 1;
  }

  /// Bytes of the larger file: what `segment.index.bytes` bounds.
  boolean full(int maxBytes) {
    return (entries + 1) * ENTRY > maxBytes || (timeEntries + 1) * TIME_ENTRY > maxBytes;
  }

  /// The entry with the greatest offset at most `offset`; -1 if there is none.
  int floor(int offset) {
    int low = 0;
    int high = entries - 1;
    int[] in = offsets;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (in[middle] <= offset) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  /// The entry with the greatest position at most `position`; -1 if there is none.
  int floorPosition(int position) {
    int low = 0;
    int high = entries - 1;
    int[] in = positions;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (in[middle] <= position) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high;
  }

  int offset(int entry) {
    return offsets[entry];
  }

  int position(int entry) {
    return positions[entry];
  }

  /// The offset up to which every timestamp is below `timestampMs`; -1 if none is known.
  int offsetBefore(long timestampMs) {
    int low = 0;
    int high = timeEntries - 1;
    long[] in = timestamps;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (in[middle] < timestampMs) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return high < 0 ? -1 : timeOffsets[high];
  }

  /// The greatest timestamp noted; -1 if none is.
  long lastTimestamp() {
    int n = timeEntries;
    return n == 0 ? -1 : timestamps[n - 1];
  }

  int lastTimeOffset() {
    int n = timeEntries;
    return n == 0 ? 0 : timeOffsets[n - 1];
  }

  /// Forgets what is not below `offset`.
  synchronized void truncate(int offset) {
    int n = entries;
    while (n > 0 && offsets[n - 1] >= offset) {
      n--;
    }
    entries = n;
    savedEntries = Math.min(savedEntries, n);
    int t = timeEntries;
    while (t > 0 && timeOffsets[t - 1] >= offset) {
      t--;
    }
    timeEntries = t;
    savedTimeEntries = Math.min(savedTimeEntries, t);
  }

  /// Brings the files up to date: appends what is not in them, and cuts what is too much.
  ///
  /// @return whether that changed one of them
  synchronized boolean save(Disk disk, Path indexFile, Path timeIndexFile) throws IOException {
    int n = entries;
    ByteBuffer out = ByteBuffer.allocate((n - savedEntries) * ENTRY);
    for (int i = savedEntries; i < n; i++) {
      out.putInt(offsets[i]).putInt(positions[i]);
    }
    boolean changed = store(disk, indexFile, out.flip(), (long) savedEntries * ENTRY);
    savedEntries = n;
    int t = timeEntries;
    out = ByteBuffer.allocate((t - savedTimeEntries) * TIME_ENTRY);
    for (int i = savedTimeEntries; i < t; i++) {
      out.putLong(timestamps[i]).putInt(timeOffsets[i]);
    }
    changed |= store(disk, timeIndexFile, out.flip(), (long) savedTimeEntries * TIME_ENTRY);
    savedTimeEntries = t;
    return changed;
  }

  /// Whether the files lack entries.
  synchronized boolean unsaved() {
    return savedEntries < entries || savedTimeEntries < timeEntries;
  }

  private static boolean store(Disk disk, Path path, ByteBuffer content, long at)
      throws IOException {
    try (File file = disk.open(path, true)) {
      if (content.hasRemaining()) {
        long end = at + content.remaining();
        file.write(new ByteBuffer[] {content}, 1, at);
        if (file.size() != end) {
          file.truncate(end);
        }
        return true;
      }
      if (file.size() != at) {
        file.truncate(at);
        return true;
      }
      return false;
    }
  }

  /// Reads the files; null if one is missing or cannot be of a segment of this size, with a warning
  /// that names it: the caller makes the index anew.
  static @Nullable SegmentIndex load(
      Disk disk, Path indexFile, Path timeIndexFile, int segmentBytes) throws IOException {
    SegmentIndex index = new SegmentIndex();
    for (Path file : new Path[] {indexFile, timeIndexFile}) {
      String wrong = "missing";
      if (disk.exists(file)) {
        byte[] content = disk.readAll(file, Integer.MAX_VALUE);
        boolean sound =
            file.equals(indexFile)
                ? index.loadOffsets(content, segmentBytes)
                : index.loadTimes(content);
        wrong = sound ? "" : "damaged";
      }
      if (!wrong.isEmpty()) {
        if (segmentBytes > 0) { // else a crash came between the two files of a new segment
          LOGGER.warn("{} is {}: rebuilt from the batches", file, wrong);
        }
        return null;
      }
    }
    return index;
  }

  private boolean loadOffsets(byte[] content, int segmentBytes) {
    ByteBuffer in = ByteBuffer.wrap(content);
    int n = content.length / ENTRY;
    offsets = new int[Math.max(FIRST_CAPACITY, n)];
    positions = new int[Math.max(FIRST_CAPACITY, n)];
    for (int i = 0; i < n; i++) {
      int offset = in.getInt();
      int position = in.getInt();
      if (offset == 0 && position == 0) {
        n = i; // Kafka allocates index files ahead, with zeros at the end
        break;
      }
      boolean grows = i == 0 || (offset > offsets[i - 1] && position > positions[i - 1]);
      if (offset < 0 || position < 0 || position >= segmentBytes || !grows) {
        return false;
      }
      offsets[i] = offset;
      positions[i] = position;
    }
    entries = n;
    savedEntries = n;
    return content.length % ENTRY == 0;
  }

  private boolean loadTimes(byte[] content) {
    ByteBuffer in = ByteBuffer.wrap(content);
    int n = content.length / TIME_ENTRY;
    timestamps = new long[Math.max(FIRST_CAPACITY, n)];
    timeOffsets = new int[Math.max(FIRST_CAPACITY, n)];
    int kept = 0;
    for (int i = 0; i < n; i++) {
      long timestamp = in.getLong();
      int offset = in.getInt();
      if (timestamp == 0 && offset == 0) {
        break;
      }
      boolean same = kept > 0 && timestamp == timestamps[kept - 1];
      boolean grows = kept == 0 || (timestamp >= timestamps[kept - 1]);
      if (timestamp < 0 || offset < 0 || !grows || (kept > 0 && offset < timeOffsets[kept - 1])) {
        return false;
      }
      if (!same) {
        timestamps[kept] = timestamp;
        timeOffsets[kept] = offset;
        kept++;
      }
    }
    timeEntries = kept;
    savedTimeEntries = kept;
    return content.length % TIME_ENTRY == 0;
  }
}
