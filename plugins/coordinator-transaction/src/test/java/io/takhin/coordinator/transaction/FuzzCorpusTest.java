package io.takhin.coordinator.transaction;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.testkit.fuzz.Fuzzing;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// B5: what the fuzzer kept.
class FuzzCorpusTest {
  @Test
  void b5Transactions() throws IOException {
    assertTrue(Fuzzing.replay(Path.of("src/test/corpus/transactions"), FuzzTransactions::feed) > 5);
  }
}
