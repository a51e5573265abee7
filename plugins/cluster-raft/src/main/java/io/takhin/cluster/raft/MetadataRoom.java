package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps the metadata log from meeting a full disk: a write of Ratis' that fails ends the log for
/// this process, and the broker with it. So a change is refused while there is still room.
///
/// ```
/// usable bytes    >= 1 MiB    every change; from 16 MiB on the reserve is made again
///                 <  1 MiB    deleting topics alone, once the reserve of 1 MiB is given up;
///                             every other change is refused with KAFKA_STORAGE_ERROR
/// ```
///
/// Threading: any thread, one at a time.
final class MetadataRoom {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataRoom.class);

  /// More than an append, a new segment that Ratis allocates ahead and a small snapshot.
  static final long NEEDED_BYTES = 1 << 20;

  static final int RESERVE_BYTES = 1 << 20;

  /// From here on the reserve takes nothing away that is needed.
  static final long PLENTY_BYTES = 16L << 20;

  /// What deleting a topic takes, and Ratis' next piece of its log.
  private static final long NEEDED_TO_DELETE_BYTES = 128 << 10;

  /// Free space of a disk, which a test says itself.
  @FunctionalInterface
  interface Space {
    /// Bytes that may still be written.
    long usableBytes() throws IOException;
  }

  private final Path reserve;
  private final Space space;
  private boolean reserved;
  private boolean warned;

  /// @param directory of the metadata
  MetadataRoom(Path directory, Space space) {
    this.reserve = directory.resolve("reserve");
    this.space = space;
  }

  static MetadataRoom of(Path directory) {
    return new MetadataRoom(directory, () -> Files.getFileStore(directory).getUsableSpace());
  }

  /// Sees to it that there is room for a change.
  ///
  /// Errors: TakhinException with KAFKA_STORAGE_ERROR, which says what to do.
  synchronized void check(List<MetadataRecord> records) {
    try {
      long usable = space.usableBytes();
      if (usable >= NEEDED_BYTES) {
        warned = false;
        keepReserve(usable);
        return;
      }
      if (records.stream().allMatch(TopicDeleted.class::isInstance)) {
        usable = giveUpReserve();
        if (usable >= NEEDED_TO_DELETE_BYTES) {
          return;
        }
      }
      throw refused(usable);
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          "the room for metadata beside " + reserve + " cannot be told: " + e,
          e);
    }
  }

  private TakhinException refused(long usable) {
    String message =
        "no room for metadata: %d bytes are free in %s. Free space, or delete topics"
            .formatted(usable, reserve.getParent());
    if (!warned) {
      warned = true;
      LOG.error("{}", message);
    }
    return new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, message);
  }

  private void keepReserve(long usable) throws IOException {
    if (reserved || usable < PLENTY_BYTES) {
      return;
    }
    if (!Files.exists(reserve) || Files.size(reserve) != RESERVE_BYTES) {
      try (FileChannel channel =
          FileChannel.open(
              reserve,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.allocate(RESERVE_BYTES);
        while (bytes.hasRemaining()) {
          channel.write(bytes); // no hole in a file: the bytes have to be taken
        }
      }
    }
    reserved = true;
  }

  private long giveUpReserve() throws IOException {
    reserved = false;
    if (Files.deleteIfExists(reserve)) {
      LOG.warn("{} was given up, to delete topics on a full disk", reserve);
    }
    return space.usableBytes();
  }
}
