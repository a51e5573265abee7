package io.takhin.storage.local;

import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.storage.local.Transactions.Aborted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The file `<base offset>.txnindex`: the aborted transactions whose markers lie in a segment, in
/// the order of the markers, as Kafka writes it. A segment without them has no such file.
///
/// ```
/// each: version = 0 (2)   producer id (8)   first offset (8)   offset of the marker (8)
///       last stable offset when the marker was written (8)
/// ```
///
/// An entry is in the file before a snapshot of the producers covers its marker, and on disk before
/// the recovery point passes it; what is missing beyond is found in the log again.
///
/// Threading: the thread in the log's gate changes it; any thread searches.
final class TransactionIndex {
  static final int ENTRY_BYTES = 34;
  private static final int MAX_FILE_BYTES = 1 << 30;
  private static final int FIELDS = 4;
  private static final View EMPTY = new View(new long[0], 0);

  private volatile View view;
  // Guarded by this.
  private int saved;
  private boolean dirty;

  /// No aborted transactions.
  TransactionIndex() {
    this(EMPTY, 0);
  }

  private TransactionIndex(View view, int saved) {
    this.view = view;
    this.saved = saved;
  }

  /// What a file holds.
  ///
  /// @param endOffset where the segment ends
  /// @return null if the file is damaged
  static @Nullable TransactionIndex load(Disk disk, Path path, long baseOffset, long endOffset)
      throws IOException {
    if (!disk.exists(path)) {
      return new TransactionIndex();
    }
    ByteBuffer in = ByteBuffer.wrap(disk.readAll(path, MAX_FILE_BYTES));
    int count = in.remaining() / ENTRY_BYTES;
    if (in.remaining() != count * ENTRY_BYTES) {
      return null;
    }
    long[] values = new long[count * FIELDS];
    long before = baseOffset - 1;
    for (int i = 0; i < count; i++) {
      int version = in.getShort();
      long producerId = in.getLong();
      long first = in.getLong();
      long last = in.getLong();
      long stable = in.getLong();
      if (version != 0
          || producerId < 0
          || first < 0
          || first >= last
          || last <= before
          || last >= endOffset
          || stable < 0
          || stable > last + 1) {
        return null;
      }
      before = last;
      put(values, i, new Aborted(producerId, first, last, stable));
    }
    return new TransactionIndex(new View(values, count), count);
  }

  private static void put(long[] values, int i, Aborted entry) {
    values[i * FIELDS] = entry.producerId();
    values[i * FIELDS + 1] = entry.firstOffset();
    values[i * FIELDS + 2] = entry.lastOffset();
    values[i * FIELDS + 3] = entry.lastStableOffset();
  }

  int entries() {
    return view.count;
  }

  /// Whether the file is there as it should be, on disk.
  synchronized boolean clean() {
    return saved == view.count && !dirty;
  }

  /// Adds one; [#save] puts it into the file.
  void add(Aborted entry) {
    View now = view;
    long[] values = now.values;
    if (values.length == now.count * FIELDS) {
      values = Arrays.copyOf(values, Math.max(4 * FIELDS, 2 * values.length));
    }
    put(values, now.count, entry);
    view = new View(values, now.count + 1);
  }

  /// Writes what is not in the file yet.
  synchronized void save(Disk disk, Path path) throws IOException {
    View now = view;
    if (saved == now.count) {
      return;
    }
    ByteBuffer out = encode(now, saved);
    try (Disk.File file = disk.open(path, true)) {
      long at = (long) saved * ENTRY_BYTES;
      if (file.size() > at) {
        file.truncate(at);
      }
      file.write(new ByteBuffer[] {out}, 1, at);
    }
    dirty = true;
    saved = now.count;
  }

  /// Makes the file durable if it was written.
  synchronized void force(Disk disk, Path path) throws IOException {
    if (dirty) {
      dirty = false;
      try (Disk.File file = disk.open(path, true)) {
        file.force();
      } catch (IOException e) {
        dirty = true;
        throw e;
      }
    }
  }

  /// Replaces the entries whose markers are at `from` or after it, in memory and in the file.
  synchronized void replaceFrom(long from, List<Aborted> entries, Disk disk, Path path)
      throws IOException {
    View now = view;
    int kept = 0;
    while (kept < now.count && now.lastOffset(kept) < from) {
      kept++;
    }
    long[] values = Arrays.copyOf(now.values, (kept + entries.size()) * FIELDS);
    for (int i = 0; i < entries.size(); i++) {
      put(values, kept + i, entries.get(i));
    }
    View next = new View(values, kept + entries.size());
    if (next.count == now.count
        && saved == now.count
        && Arrays.equals(values, 0, next.count * FIELDS, now.values, 0, now.count * FIELDS)) {
      return;
    }
    if (next.count == 0) {
      disk.delete(path);
    } else {
      disk.replace(path, encode(next, 0).array(), true);
    }
    view = next;
    saved = next.count;
    dirty = false;
  }

  private static ByteBuffer encode(View of, int first) {
    ByteBuffer out = ByteBuffer.allocate((of.count - first) * ENTRY_BYTES);
    for (int i = first * FIELDS; i < of.count * FIELDS; i += FIELDS) {
      out.putShort((short) 0);
      for (int field = 0; field < FIELDS; field++) {
        out.putLong(of.values[i + field]);
      }
    }
    return out.flip();
  }

  /// Adds the transactions with records in `[from, until)` to `found`.
  ///
  /// @return whether later segments cannot have more of them
  boolean collect(long from, long until, List<AbortedTransaction> found) {
    View now = view;
    for (int i = firstNotBelow(now, from); i < now.count; i++) {
      long first = now.values[i * FIELDS + 1];
      if (first < until) {
        found.add(new AbortedTransaction(now.values[i * FIELDS], first));
      }
      if (now.values[i * FIELDS + 3] >= until) {
        return true;
      }
    }
    return false;
  }

  private static int firstNotBelow(View in, long from) {
    int low = 0;
    int high = in.count;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (in.lastOffset(middle) < from) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// What readers see: the array grows behind `count`, where nobody looks.
  @SuppressWarnings("ArrayRecordComponent")
  private record View(long[] values, int count) {
    long lastOffset(int i) {
      return values[i * FIELDS + 2];
    }
  }
}
