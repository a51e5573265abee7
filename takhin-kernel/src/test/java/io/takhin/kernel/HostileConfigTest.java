package io.takhin.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.testkit.fuzz.Fuzzing;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// B19: configuration files in which anything may stand. `-Dtakhin.config.mutations` makes more.
class HostileConfigTest {
  private static final int MUTATIONS = Integer.getInteger("takhin.config.mutations", 500);

  private static final String SOUND =
      """
      # a comment
      logging:
        level: info
        format: json
      health:
        host: 127.0.0.1
        port: 0
        enabled: true
      plugins:
        required: []
        disabled: []
      shutdown.timeout.seconds: 30
      """;

  private static final List<String> PIECES =
      List.of(
          ":",
          "-",
          "{",
          "}",
          "[",
          "]",
          "&a ",
          "*a",
          "!!binary ",
          "!!java.net.URL ",
          "|",
          ">",
          "%",
          "@",
          "`",
          "'",
          "\"",
          "\t",
          "\n",
          "\n\n",
          "  ",
          "#",
          "? ",
          "---\n",
          "...\n",
          "<<: *a\n",
          "\0",
          "\u0085",
          "\u202e",
          "\ud83d",
          "99999999999999999999",
          "-1",
          "1e400",
          ".nan",
          "0x1F",
          "yes",
          "~",
          "null",
          "level",
          "logging:\n",
          "health.port: 1\n",
          "server.port: 0\n",
          "${HOME}",
          "${file:/etc/passwd}",
          "a: &a [*a]\n",
          "x".repeat(5000),
          "[".repeat(3000));

  @TempDir Path home;

  private static byte[] mutated(Random random) {
    StringBuilder text = new StringBuilder(SOUND);
    for (int changes = 1 + random.nextInt(6); changes > 0 && !text.isEmpty(); changes--) {
      int at = random.nextInt(text.length());
      int until = Math.min(text.length(), at + random.nextInt(20));
      switch (random.nextInt(6)) {
        case 0 -> text.delete(at, until);
        case 1 -> text.insert(at, PIECES.get(random.nextInt(PIECES.size())));
        case 2 -> text.replace(at, until, PIECES.get(random.nextInt(PIECES.size())));
        case 3 -> text.setCharAt(at, (char) random.nextInt(0x3000));
        case 4 -> text.insert(at, text.substring(at, until));
        default -> text.insert(random.nextInt(text.length()), text.substring(at, until));
      }
    }
    byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
    if (random.nextInt(4) == 0 && bytes.length > 0) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    }
    return bytes;
  }

  @Test
  void b5WhatTheFuzzerKept() throws IOException {
    assertTrue(Fuzzing.replay(Path.of("src/test/corpus/yaml"), FuzzYaml::feed) > 5);
  }

  @Test
  void b19WhateverStandsInTheFileIsAConfigurationOrToldInOneLineEach()
      throws IOException, InterruptedException {
    int valid = 0;
    for (int i = 0; i < MUTATIONS; i++) {
      Random random = new Random(i);
      valid += FuzzYaml.validate(home, mutated(random)) == 0 ? 1 : 0;
    }
    assertTrue(valid > 0 && valid < MUTATIONS, valid + " were valid");
  }
}
