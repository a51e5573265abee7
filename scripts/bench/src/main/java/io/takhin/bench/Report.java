package io.takhin.bench;

import io.takhin.bench.Table.Row;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// Writes what was measured into `docs/performance.md`, between two marks, and draws a chart for
/// each group beside it.
final class Report {
  static final String FROM = "<!-- figures: written by scripts/bench.sh --publish from here -->";
  static final String TO = "<!-- figures: to here -->";

  private static final Map<String, String> TITLES = titles();

  private Report() {}

  private static Map<String, String> titles() {
    Map<String, String> titles = new LinkedHashMap<>();
    titles.put("life", "Memory, start, rest");
    titles.put("produce", "Produce in batches");
    titles.put("small", "Small requests, and fsync before the acknowledgement");
    titles.put("fetch", "Fetch");
    titles.put("latency", "Latency at fixed rates");
    titles.put("scale", "Partitions, connections, groups");
    titles.put("tools", "Cross-check with the usual tools");
    return titles;
  }

  static void publish(Results results, Path docs) throws IOException {
    Table table = results.table();
    Path page = docs.resolve("performance.md");
    Path charts = docs.resolve("performance");
    Files.createDirectories(charts);
    StringBuilder out = new StringBuilder();
    out.append('\n').append(machine(results.mostBeside())).append('\n');
    for (String group : Bench.groups()) {
      Set<String> ids =
          Bench.all().stream()
              .filter(one -> one.group().equals(group))
              .map(Case::id)
              .collect(Collectors.toSet());
      List<Row> rows = table.rows(ids);
      if (rows.isEmpty()) {
        continue;
      }
      String title = TITLES.getOrDefault(group, group);
      Files.writeString(charts.resolve(group + ".svg"), Chart.svg(title, rows));
      out.append("\n### ").append(title).append("\n\n");
      out.append("![").append(title).append("](performance/").append(group).append(".svg)\n\n");
      out.append(Table.markdown(rows));
    }
    if (!table.failures().isEmpty()) {
      out.append("\nFailed in this run:\n\n");
      table.failures().forEach(line -> out.append("- ").append(line).append('\n'));
    }
    out.append('\n');
    Files.writeString(page, replaced(Files.readString(page), out.toString()));
  }

  /// The page with other text between the marks.
  static String replaced(String page, String figures) {
    int from = page.indexOf(FROM);
    int to = page.indexOf(TO);
    if (from < 0 || to < from) {
      throw new IllegalStateException("performance.md has lost the marks for the figures");
    }
    return page.substring(0, from + FROM.length()) + '\n' + figures + page.substring(to);
  }

  private static String machine(double mostBeside) throws IOException {
    String processor =
        Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 2))
            .findFirst()
            .orElse("processor unknown");
    String memory = Files.readAllLines(Path.of("/proc/meminfo")).getFirst();
    long gib = Math.round(Long.parseLong(memory.replaceAll("[^0-9]", "")) / 1048576.0);
    return String.format(
        Locale.ROOT,
        "Measured on %s: %d cores of %s, %d GiB, Linux %s, JDK %s. Median [least..greatest] of the"
            + " runs; the ratio is Takhin to Kafka as it ships. Other processes and the kernel's own"
            + " threads took at most %.0f %% of a core in any sitting.",
        LocalDate.now(ZoneOffset.UTC),
        Runtime.getRuntime().availableProcessors(),
        processor.strip(),
        gib,
        System.getProperty("os.version"),
        System.getProperty("java.version"),
        mostBeside);
  }
}
