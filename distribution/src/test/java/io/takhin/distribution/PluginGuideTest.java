package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// The plugin author's guide shows code that is compiled and run: each example that names its file
/// is in it to the letter, and every contract has a row.
class PluginGuideTest {
  private static final Pattern EXAMPLE =
      Pattern.compile("\\]\\(\\.\\./([^)]+\\.java)\\):\\n\\n```java\\n(.*?)```", Pattern.DOTALL);

  private static String text(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  private static String guide() throws IOException {
    return text(Distribution.repository().resolve("docs/plugin-authors-guide.md"));
  }

  @Test
  void examplesAreInTheFilesThatTheyName() throws IOException {
    List<String> files = new ArrayList<>();
    Matcher example = EXAMPLE.matcher(guide());
    while (example.find()) {
      String file = example.group(1);
      files.add(file);
      assertTrue(
          text(Distribution.repository().resolve(file)).contains(example.group(2)),
          () -> file + " does not have what the guide shows of it");
    }
    assertEquals(2, files.size(), files::toString);
  }

  @Test
  void everyContractIsNamed() throws IOException {
    Path testkit =
        Distribution.repository().resolve("takhin-testkit/src/main/java/io/takhin/testkit");
    String guide = guide();
    List<String> missing = new ArrayList<>();
    try (Stream<Path> files = Files.walk(testkit)) {
      for (Path file : new TreeSet<>(files.toList())) {
        String name = String.valueOf(file.getFileName());
        if (name.endsWith("Contract.java")) {
          String contract =
              String.valueOf(testkit.relativize(file))
                  .replace(file.getFileSystem().getSeparator(), ".")
                  .replace(".java", "");
          if (!guide.contains("`" + contract + "`")) {
            missing.add(contract);
          }
        }
      }
    }
    assertEquals(List.of(), missing);
  }
}
