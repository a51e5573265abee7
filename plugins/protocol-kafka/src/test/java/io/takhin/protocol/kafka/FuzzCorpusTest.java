package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.testkit.fuzz.Fuzzing;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// B5: what the fuzzer kept.
class FuzzCorpusTest {
  @Test
  void b5Frames() throws IOException {
    assertTrue(Fuzzing.replay(Path.of("src/test/corpus/frames"), FuzzFrames::feed) > 10);
  }

  @Test
  void b5Requests() throws IOException {
    assertTrue(Fuzzing.replay(Path.of("src/test/corpus/requests"), FuzzRequests::feed) > 10);
  }
}
