package io.takhin.kernel.logging;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.LoggerContext;
import io.takhin.kernel.health.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

class LoggingTest {
  @TempDir Path directory;

  @AfterEach
  void backToTheFirstLogs() {
    LoggerContext context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    Logging.first(context);
  }

  @Test
  void jsonIsOneObjectForEachLineWhateverTheMessage() throws IOException {
    Path file = configure("info", "json");
    LoggerFactory.getLogger("a.b")
        .warn(
            "quote \" back \\ line\nreturn\r tab\t bell\u0007 escape\u001b ls\u2028 \ud83d\ude00"
                + " half\ud83d c1\u0085");
    LoggerFactory.getLogger("a.b").debug("below the level");
    LoggerFactory.getLogger("a.b").error("failed", new IllegalStateException("why\nso"));
    java.util.logging.Logger.getLogger("j.u.l").warning("from java.util.logging");
    List<String> lines = Files.readAllLines(file);
    assertEquals(3, lines.size());
    assertTrue(lines.get(0).startsWith("{\"time\":\"20"), lines.get(0));
    assertTrue(
        lines
            .get(0)
            .endsWith(
                "\"level\":\"warn\",\"logger\":\"a.b\",\"thread\":\""
                    + Thread.currentThread().getName()
                    + "\",\"message\":\"quote \\\" back \\\\ line\\nreturn\\r tab\\t bell\\u0007"
                    + " escape\\u001b ls\\u2028 \ud83d\ude00 half\\ud83d c1\\u0085\"}"),
        lines.get(0));
    assertTrue(
        lines
            .get(1)
            .contains("\"exception\":\"java.lang.IllegalStateException: why\\nso\\n\\tat "));
    assertTrue(lines.get(2).contains("\"logger\":\"j.u.l\""));
  }

  @Test
  void textIsForPeople() throws IOException {
    Path file = configure("debug", "text");
    LoggerFactory.getLogger("a.b").debug("hello {}", 1);
    String line = Files.readAllLines(file).getFirst();
    assertTrue(line.matches("20.*Z DEBUG \\[.*] a.b - hello 1"), line);
  }

  @Test
  void quietLoggersTellOnlyWarningsUnlessTheLevelIsDebug() throws IOException {
    Path file = configure("info", "text");
    LoggerFactory.getLogger("talks.much.Inner").info("about itself");
    LoggerFactory.getLogger("talks.little").info("once");
    LoggerFactory.getLogger("talks.much.Inner").warn("twice");
    assertEquals(2, Files.readAllLines(file).size());
    configure("debug", "text");
    LoggerFactory.getLogger("talks.much.Inner").info("about itself");
    assertEquals(3, Files.readAllLines(file).size());
  }

  @Test
  void theLogsDirectoryIsMadeAndAPathThatCannotBeWrittenIsToldWithItsKey() throws IOException {
    assertTrue(Files.exists(configure("info", "json")));
    Path file = Files.writeString(directory.resolve("file"), "");
    var refused =
        assertThrows(
            IOException.class,
            () ->
                Logging.configure(
                    new LoggingConfig(
                        "info", List.of(), "json", file.resolve("log"), 1 << 20, 1 << 20, 1)));
    assertTrue(String.valueOf(refused.getMessage()).contains("logging.output.path"));
  }

  @Test
  void jsonStringsOfAllCharactersStayOneLine() {
    StringBuilder all = new StringBuilder();
    for (char c = 0; c < 0x3000; c++) {
      all.append(c);
    }
    StringBuilder json = new StringBuilder();
    Json.string(json, all.toString());
    String inner = json.substring(1, json.length() - 1);
    assertFalse(inner.chars().anyMatch(c -> c < 0x20 || c == 0x2028));
    assertEquals(1, json.toString().lines().count());
  }

  private Path configure(String level, String format) throws IOException {
    Path file = directory.resolve("logs").resolve("takhin.log");
    Logging.configure(
        new LoggingConfig(level, List.of("talks.much"), format, file, 1 << 20, 1 << 20, 1));
    return file;
  }
}
