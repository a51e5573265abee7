package io.takhin.cluster.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
/// checksum is wrong, or entries are missing, the file is damaged. Ratis would refuse it without
/// naming it, or wait for what cannot come: so it is looked for before Ratis is started.
final class RatisLogFiles {
  private static final Logger LOG = LoggerFactory.getLogger(RatisLogFiles.class);
  private static final byte[] HEADER = "RaftLog1".getBytes(StandardCharsets.US_ASCII);
  private static final Pattern CLOSED = Pattern.compile("log_(\\d{1,18})-(\\d{1,18})");
  private static final Pattern OPEN = Pattern.compile("log_inprogress_\\d{1,18}");
  private static final Pattern META = Pattern.compile("(?m)^term=\\d{1,18}$");
  private static final int CRC_BYTES = 4;

  private RatisLogFiles() {}

  /// Where the whole entries of a segment end, and how long the one behind claims to be.
  ///
  /// @param brokenBytes 0 if there is none
  /// @param entries how many whole ones there are
  private record Scan(int end, long brokenBytes, long entries) {}

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

  /// What says the first file that cannot be read, and the place; null if all can.
  static @Nullable String damaged(Path current) {
    try {
      Path meta = current.resolve("raft-meta");
      if (Files.exists(meta) && !META.matcher(latin1(meta)).find()) {
        return meta + " is damaged: it has no term";
      }
      for (Path segment : segments(current, "log_")) {
        String what = damagedSegment(segment);
        if (what != null) {
          return segment + " is damaged" + what;
        }
      }
      return null;
    } catch (IOException e) {
      return e.toString();
    }
  }

  private static String latin1(Path file) throws IOException {
    return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
  }

  private static @Nullable String damagedSegment(Path segment) throws IOException {
    String name = segment.getFileName().toString();
    Matcher closed = CLOSED.matcher(name);
    if (!closed.matches() && !OPEN.matcher(name).matches()) {
      return null; // not Ratis'
    }
    byte[] bytes = Files.readAllBytes(segment);
    for (int i = 0; i < Math.min(HEADER.length, bytes.length); i++) {
      // What is missing of the header of an open one was not written yet.
      if (bytes[i] != HEADER[i] && (bytes[i] != 0 || closed.matches())) {
        return " from byte " + i + " on";
      }
    }
    Scan scan = scan(bytes);
    boolean more = false;
    for (int i = scan.end(); i < bytes.length && !more; i++) {
      more = bytes[i] != 0;
    }
    if (scan.brokenBytes() > 0 || more) {
      return " from byte " + scan.end() + " on";
    }
    if (closed.matches()) {
      long entries = Long.parseLong(closed.group(2)) - Long.parseLong(closed.group(1)) + 1;
      if (scan.entries() != entries) {
        return ": it holds " + scan.entries() + " of " + entries + " entries";
      }
    }
    return null;
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
    int position = Math.min(HEADER.length, bytes.length);
    long entries = 0;
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
        return new Scan(position, Math.max(end - position, 1), entries);
      }
      CRC32C crc = new CRC32C();
      crc.update(bytes, position, at - position + length);
      int stored = ByteBuffer.wrap(bytes, at + length, CRC_BYTES).getInt();
      if ((int) crc.getValue() != stored) {
        return new Scan(position, end - position, entries);
      }
      position = (int) end;
      entries++;
    }
    return new Scan(position, 0, entries);
  }
}
