package io.takhin.cluster.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks into the segments of Ratis' log where Ratis itself does not say enough.
///
/// ```
/// log_<first>-<last>, log_inprogress_<first>:
///   "RaftLog1" { lengthBytes(unsigned varint) entry crc32c(4 bytes, over length and entry) }* 0*
/// ```
///
/// A write that a power failure cut off leaves an entry at the very end whose checksum is wrong.
/// Nobody was told that it is committed, for it was never on disk: it is cut. Wherever else a
/// checksum is wrong, the file is damaged, and Ratis refuses it; here its name is found.
final class RatisLogFiles {
  private static final Logger LOG = LoggerFactory.getLogger(RatisLogFiles.class);
  private static final int HEADER_BYTES = 8;
  private static final int CRC_BYTES = 4;

  private RatisLogFiles() {}

  /// Where the whole entries of a segment end, and how long the one behind claims to be.
  ///
  /// @param brokenBytes 0 if there is none
  private record Scan(int end, long brokenBytes) {}

  /// Cuts an entry off the end of the open segment that was not written whole, and keeps its bytes
  /// in `keep`.
  static void cutTornTail(Path current, Path keep) throws IOException {
    for (Path segment : segments(current, "log_inprogress_")) {
      byte[] bytes = Files.readAllBytes(segment);
      Scan scan = scan(bytes);
      int used = bytes.length;
      while (used > 0 && bytes[used - 1] == 0) {
        used--;
      }
      if (scan.brokenBytes() == 0 || scan.end() + scan.brokenBytes() < used) {
        continue;
      }
      Path torn = keep.resolve("torn-" + segment.getFileName());
      Files.write(torn, Arrays.copyOfRange(bytes, scan.end(), used));
      try (FileChannel channel = FileChannel.open(segment, StandardOpenOption.WRITE)) {
        channel.truncate(scan.end());
        channel.force(true);
      }
      LOG.warn(
          "{} ended in an entry that was not written whole: cut at byte {}, its bytes are in {}",
          segment,
          scan.end(),
          torn);
    }
  }

  /// The first segment that cannot be read, with the place, or null.
  static @Nullable String damaged(Path current) {
    try {
      for (Path segment : segments(current, "log_")) {
        byte[] bytes = Files.readAllBytes(segment);
        Scan scan = scan(bytes);
        boolean more = false;
        for (int i = scan.end(); i < bytes.length && !more; i++) {
          more = bytes[i] != 0;
        }
        if (scan.brokenBytes() > 0 || more) {
          return segment + " is damaged from byte " + scan.end() + " on";
        }
      }
      return null;
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static List<Path> segments(Path current, String prefix) throws IOException {
    if (!Files.isDirectory(current)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(current)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(prefix))
          .sorted()
          .toList();
    }
  }

  private static Scan scan(byte[] bytes) {
    int position = Math.min(HEADER_BYTES, bytes.length);
    while (position < bytes.length && bytes[position] != 0) {
      int at = position;
      int length = 0;
      int shift = 0;
      boolean more = true;
      while (more && at < bytes.length && shift < 35) {
        length |= (bytes[at] & 0x7F) << shift;
        more = bytes[at] < 0;
        shift += 7;
        at++;
      }
      long end = (long) at + length + CRC_BYTES;
      if (more || length <= 0 || end > bytes.length) {
        return new Scan(position, Math.max(end - position, 1));
      }
      CRC32C crc = new CRC32C();
      crc.update(bytes, position, at - position + length);
      int stored = ByteBuffer.wrap(bytes, at + length, CRC_BYTES).getInt();
      if ((int) crc.getValue() != stored) {
        return new Scan(position, end - position);
      }
      position = (int) end;
    }
    return new Scan(position, 0);
  }
}
