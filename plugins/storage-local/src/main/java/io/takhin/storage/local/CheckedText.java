package io.takhin.storage.local;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A checksum for Kafka's checkpoint files, which have none, where Kafka does not see it: at the
/// end of the last line, in white space.
///
/// ```
/// 0
/// 1
/// orders 0 1523########################
/// ```
///
/// Each `#` is one of 32 bits of the CRC-32C of all that stands before, the highest first: a space
/// is 0, a tab is 1. Kafka splits the lines at white space and drops what is behind the last word.
/// Its own files, without any, are believed; so is one without entries, in which every changed bit
/// shows anyway.
final class CheckedText {
  private static final int BITS = 32;

  private CheckedText() {}

  /// The file's content for a text of lines, each with its end.
  ///
  /// @param entries how many there are; without one there is nothing to check
  static byte[] encode(StringBuilder text, int entries) {
    if (entries > 0) {
      text.setLength(text.length() - 1);
      int crc = crc(text.toString());
      for (int bit = BITS - 1; bit >= 0; bit--) {
        text.append(((crc >>> bit) & 1) == 0 ? ' ' : '\t');
      }
      text.append('\n');
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /// The text without its checksum; null if it is not what was written.
  static @Nullable String decode(byte[] content) {
    String text = new String(content, StandardCharsets.UTF_8);
    if (!text.endsWith("\n")) {
      return null;
    }
    int end = text.length() - 1;
    int begin = end;
    while (begin > 0 && isBit(text.charAt(begin - 1))) {
      begin--;
    }
    if (begin == end) {
      // Kafka writes single spaces: more of them are a checksum whose last bit is damaged.
      return text.contains("  ") || text.indexOf('\t') >= 0 ? null : text;
    }
    int stored = 0;
    for (int i = begin; i < end; i++) {
      stored = (stored << 1) | (text.charAt(i) == '\t' ? 1 : 0);
    }
    String checked = text.substring(0, begin);
    return end - begin == BITS && stored == crc(checked) ? checked + "\n" : null;
  }

  private static boolean isBit(char c) {
    return c == ' ' || c == '\t';
  }

  private static int crc(String text) {
    CRC32C crc = new CRC32C();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    return (int) crc.getValue();
  }
}
