package io.takhin.storage.local;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One of Kafka's checkpoint files: an offset for each log of a directory.
///
/// ```
/// 0                      version
/// 2                      entries
/// orders 0 1523          topic, partition, offset
/// orders 1 12
/// ```
///
/// Behind the last entry stands a checksum ([CheckedText]).
///
/// Threading: one thread writes at a time.
final class Checkpoint {
  private static final Logger LOGGER = LoggerFactory.getLogger(Checkpoint.class);
  private static final int MAX_FILE_BYTES = 256 << 20;

  private final Disk disk;
  private final Path file;

  Checkpoint(Disk disk, Path file) {
    this.disk = disk;
    this.file = file;
  }

  /// Offsets by `topic-partition`; a damaged file counts as empty, with a warning that names it.
  Map<String, Long> read() throws IOException {
    Map<String, Long> offsets = new HashMap<>();
    if (!disk.exists(file)) {
      return offsets;
    }
    String text = CheckedText.decode(disk.readAll(file, MAX_FILE_BYTES));
    try {
      if (text == null) {
        throw new NumberFormatException("checksum");
      }
      String[] lines = text.lines().toArray(String[]::new);
      if (lines.length < 2 || Integer.parseInt(lines[0].strip()) != 0) {
        throw new NumberFormatException("version");
      }
      if (Integer.parseInt(lines[1].strip()) != lines.length - 2) {
        throw new NumberFormatException(lines.length - 2 + " entries instead of " + lines[1]);
      }
      for (int i = 2; i < lines.length; i++) {
        int partition = lines[i].indexOf(' ');
        int offset = lines[i].lastIndexOf(' ');
        if (partition <= 0 || offset <= partition) {
          throw new NumberFormatException("line " + (i + 1));
        }
        String log =
            lines[i].substring(0, partition) + "-" + lines[i].substring(partition + 1, offset);
        long value = Long.parseLong(lines[i].substring(offset + 1).strip());
        if (value < 0) {
          throw new NumberFormatException("line " + (i + 1));
        }
        offsets.put(log, value);
      }
      return offsets;
    } catch (NumberFormatException e) {
      LOGGER.warn("{} is damaged ({}): it is rebuilt from the logs", file, e.getMessage());
      return new HashMap<>();
    }
  }

  /// Replaces the file, durably.
  void write(Map<String, Long> offsets) throws IOException {
    StringBuilder text = new StringBuilder(32 * offsets.size() + 16);
    text.append("0\n").append(offsets.size()).append('\n');
    offsets.forEach(
        (log, offset) -> {
          int dash = log.lastIndexOf('-');
          text.append(log, 0, dash).append(' ').append(log, dash + 1, log.length());
          text.append(' ').append(offset).append('\n');
        });
    disk.replace(file, CheckedText.encode(text, offsets.size()), true);
  }
}
