package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Kafka's answers to the fixed scripts, one file for each family:
///
/// ```
/// # name of the script
/// Produce v9 | {"responses":...}
/// ```
final class Golden {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Golden() {}

  /// The scripts' answers by their names.
  static Map<String, List<Answer>> read(Path file) throws IOException {
    Map<String, List<Answer>> scripts = new LinkedHashMap<>();
    List<Answer> answers = new ArrayList<>();
    for (String line : Files.readAllLines(file, StandardCharsets.UTF_8)) {
      int bar = line.indexOf(" | ");
      if (line.startsWith("# ")) {
        answers = new ArrayList<>();
        scripts.put(line.substring(2), answers);
      } else if (bar > 0) {
        JsonNode shown = JSON.readTree(line.substring(bar + 3));
        answers.add(new Answer(shown, null));
      }
    }
    return scripts;
  }

  static void write(Path file, Map<Script, List<Answer>> scripts) throws IOException {
    StringBuilder text = new StringBuilder();
    scripts.forEach(
        (script, answers) -> {
          text.append("# ").append(script.name()).append('\n');
          for (int i = 0; i < answers.size(); i++) {
            text.append(script.steps().get(i).title()).append(" | ");
            text.append(answers.get(i).shown()).append('\n');
          }
          text.append('\n');
        });
    Files.createDirectories(file.getParent());
    Files.writeString(file, text, StandardCharsets.UTF_8);
  }
}
