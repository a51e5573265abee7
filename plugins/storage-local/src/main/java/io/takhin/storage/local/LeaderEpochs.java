package io.takhin.storage.local;

import io.takhin.api.storage.PartitionLog.EpochEndOffset;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// Where each leader epoch began in a log (KIP-101), and the file that keeps it:
///
/// ```
/// 0                      version
/// 2                      entries
/// 0 0                    epoch, first offset
/// 4 1523
/// ```
///
/// Behind the last entry stands a checksum ([CheckedText]).
///
/// Threading: any thread; the lock is held for array work, and for writing the small file when an
/// epoch is new.
final class LeaderEpochs {
  private static final int MAX_FILE_BYTES = 16 << 20;

  private final Disk disk;
  private final Path file;
  private int[] epochs = new int[2];
  private long[] starts = new long[2];
  private int size;

  LeaderEpochs(Disk disk, Path file) {
    this.disk = disk;
    this.file = file;
  }

  /// Reads the file. False if it is missing or damaged: then nothing is known.
  synchronized boolean load() throws IOException {
    size = 0;
    String text = disk.exists(file) ? CheckedText.decode(disk.readAll(file, MAX_FILE_BYTES)) : null;
    boolean sound = text != null && parse(text.lines().toList());
    if (!sound) {
      size = 0;
    }
    return sound;
  }

  private boolean parse(List<String> lines) {
    try {
      if (lines.size() < 2
          || Integer.parseInt(lines.get(0).strip()) != 0
          || Integer.parseInt(lines.get(1).strip()) != lines.size() - 2) {
        return false;
      }
      for (String line : lines.subList(2, lines.size())) {
        int space = line.indexOf(' ');
        int epoch = Integer.parseInt(line.substring(0, Math.max(0, space)));
        long start = Long.parseLong(line.substring(space + 1).strip());
        if (epoch < 0 || start < 0 || !add(epoch, start)) {
          return false;
        }
      }
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  /// The newest epoch, or -1.
  synchronized int latest() {
    return size == 0 ? -1 : epochs[size - 1];
  }

  /// Notes that `epoch` began at `start`, without saving; nothing happens if it is not newer.
  synchronized boolean note(int epoch, long start) {
    return epoch >= 0 && epoch > latest() && add(epoch, start);
  }

  private boolean add(int epoch, long start) {
    if (size > 0 && (epochs[size - 1] >= epoch || starts[size - 1] > start)) {
      return false;
    }
    if (size > 0 && starts[size - 1] == start) {
      size--; // that epoch never got a record
    }
    if (size == epochs.length) {
      epochs = Arrays.copyOf(epochs, size * 2);
      starts = Arrays.copyOf(starts, size * 2);
    }
    epochs[size] = epoch;
    starts[size] = start;
    size++;
    return true;
  }

  /// Kafka's rules: the epoch asked for or the one before it, and where the next one begins; an
  /// epoch older than all known ends where the first known one begins.
  synchronized EpochEndOffset end(int epoch, long logEndOffset) {
    if (epoch < 0 || size == 0 || epoch > epochs[size - 1]) {
      return new EpochEndOffset(-1, -1);
    }
    if (epoch == epochs[size - 1]) {
      return new EpochEndOffset(epoch, logEndOffset);
    }
    int i = size - 1;
    while (i >= 0 && epochs[i] > epoch) {
      i--;
    }
    return new EpochEndOffset(i < 0 ? epoch : epochs[i], starts[i + 1]);
  }

  /// The epoch of the record at `offset`, or -1.
  synchronized int at(long offset) {
    for (int i = size - 1; i >= 0; i--) {
      if (starts[i] <= offset) {
        return epochs[i];
      }
    }
    return -1;
  }

  /// Forgets epochs that begin at `endOffset` or later.
  synchronized boolean truncateEnd(long endOffset) {
    int before = size;
    while (size > 0 && starts[size - 1] >= endOffset) {
      size--;
    }
    return size != before;
  }

  /// Forgets epochs that ended before `startOffset`.
  synchronized boolean truncateStart(long startOffset) {
    int first = -1;
    while (first + 1 < size && starts[first + 1] <= startOffset) {
      first++;
    }
    if (first < 0 || (first == 0 && starts[0] == startOffset)) {
      return false;
    }
    System.arraycopy(epochs, first, epochs, 0, size - first);
    System.arraycopy(starts, first, starts, 0, size - first);
    size -= first;
    starts[0] = startOffset;
    return true;
  }

  synchronized void clear() {
    size = 0;
  }

  synchronized void save() throws IOException {
    StringBuilder text = new StringBuilder("0\n").append(size).append('\n');
    for (int i = 0; i < size; i++) {
      text.append(epochs[i]).append(' ').append(starts[i]).append('\n');
    }
    disk.replace(file, CheckedText.encode(text, size), false);
  }
}
