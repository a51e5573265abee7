package io.takhin.storage.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The file `partition.metadata`: which topic a log belongs to.
///
/// ```
/// version: 0
/// topic_id: MkU3OEVBNTcwNTJENDM2Qg
/// ```
final class PartitionMetadata {
  private static final String TOPIC_ID = "topic_id: ";
  private static final int MAX_FILE_BYTES = 4096;
  private static final int ID_BYTES = 16;

  private PartitionMetadata() {}

  /// The topic's id; null if the file is missing or damaged.
  static @Nullable UUID read(Disk disk, Path log) throws IOException {
    Path file = log.resolve(LogFiles.METADATA);
    if (!disk.exists(file) || disk.size(file) > MAX_FILE_BYTES) {
      return null;
    }
    String text = new String(disk.readAll(file, MAX_FILE_BYTES), StandardCharsets.UTF_8);
    for (String line : text.lines().toList()) {
      if (line.startsWith(TOPIC_ID)) {
        try {
          byte[] id = Base64.getUrlDecoder().decode(line.substring(TOPIC_ID.length()).strip());
          if (id.length == ID_BYTES) {
            ByteBuffer in = ByteBuffer.wrap(id);
            return new UUID(in.getLong(), in.getLong());
          }
        } catch (IllegalArgumentException e) {
          return null;
        }
      }
    }
    return null;
  }

  static void write(Disk disk, Path log, UUID topicId) throws IOException {
    byte[] id =
        ByteBuffer.allocate(ID_BYTES)
            .putLong(topicId.getMostSignificantBits())
            .putLong(topicId.getLeastSignificantBits())
            .array();
    String text =
        "version: 0\n"
            + TOPIC_ID
            + Base64.getUrlEncoder().withoutPadding().encodeToString(id)
            + "\n";
    disk.replace(log.resolve(LogFiles.METADATA), text.getBytes(StandardCharsets.UTF_8), false);
  }
}
