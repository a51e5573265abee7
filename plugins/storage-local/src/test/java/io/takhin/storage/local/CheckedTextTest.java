package io.takhin.storage.local;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class CheckedTextTest {
  private static final String TEXT = "0\n2\norders 0 1523\norders 1 12\n";

  @Test
  void eachChangedBitIsNoticed() {
    byte[] content = CheckedText.encode(new StringBuilder(TEXT), 2);
    assertEquals(TEXT, CheckedText.decode(content));
    for (int bit = 0; bit < 8 * content.length; bit++) {
      byte[] flipped = content.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertNull(CheckedText.decode(flipped), "bit " + bit);
    }
  }

  @Test
  void eachShorterFileIsNoticed() {
    byte[] content = CheckedText.encode(new StringBuilder(TEXT), 2);
    int bare = TEXT.length();
    for (int length = bare; length < content.length; length++) {
      assertNull(CheckedText.decode(java.util.Arrays.copyOf(content, length)), "length " + length);
    }
  }

  @Test
  void kafkaDoesNotSeeItAndItsOwnFilesAreBelieved() {
    byte[] content = CheckedText.encode(new StringBuilder(TEXT), 2);
    String[] lines = new String(content, StandardCharsets.UTF_8).split("\n", -1);
    // How Kafka takes the lines of its checkpoints apart.
    assertArrayEquals(new String[] {"orders", "1", "12"}, Pattern.compile("\\s+").split(lines[3]));
    assertEquals(TEXT, CheckedText.decode(TEXT.getBytes(StandardCharsets.UTF_8)));
    assertEquals("0\n0\n", CheckedText.decode("0\n0\n".getBytes(StandardCharsets.UTF_8)));
  }
}
