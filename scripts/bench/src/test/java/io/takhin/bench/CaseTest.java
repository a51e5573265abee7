package io.takhin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class CaseTest {
  @Test
  void everyCaseHasANameOfItsOwn() {
    List<String> ids = Bench.all().stream().map(Case::id).toList();
    assertEquals(new HashSet<>(ids).size(), ids.size(), ids::toString);
  }

  @Test
  void theScriptRunsAllGroups() throws IOException {
    String script = Files.readString(Path.of("..", "bench.sh"));
    String groups = "for group in " + String.join(" ", Bench.groups()) + "; do";
    assertTrue(script.contains(groups), groups);
  }
}
