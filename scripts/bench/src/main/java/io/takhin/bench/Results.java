package io.takhin.bench;

import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What was measured so far, as a file of lines: a run can be cut off and taken up again, and be
/// done in pieces. A line is one figure, one case that failed, or the end of a sitting, which is
/// one broker's process and all its cases:
///
/// ```
/// figure  sitting round kind case name unit value higherIsBetter goal absolute
/// beside  sitting round kind percent of a core that other processes took meanwhile
/// failed  sitting round kind case why
/// done    sitting round kind
/// ```
final class Results {
  private final Path file;
  private final List<String> lines = new ArrayList<>();

  Results(Path file) throws IOException {
    this.file = file;
    if (Files.exists(file)) {
      lines.addAll(Files.readAllLines(file));
    }
  }

  boolean isDone(String sitting, int round, Kind kind) {
    return lines.contains(line("done", sitting, round, kind));
  }

  /// Drops what an earlier try of a sitting left.
  void begin(String sitting, int round, Kind kind) throws IOException {
    lines.removeIf(
        line ->
            List.of("figure", "beside", "failed", "done").stream()
                .map(type -> line(type, sitting, round, kind))
                .anyMatch(head -> line.equals(head) || line.startsWith(head + '\t')));
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(file, lines);
  }

  void figure(String sitting, int round, Kind kind, Case one, Figure figure) throws IOException {
    append(
        line("figure", sitting, round, kind)
            + String.format(
                Locale.ROOT,
                "\t%s\t%s\t%s\t%s\t%b\t%s\t%b",
                one.id(),
                figure.name(),
                figure.unit(),
                figure.value(),
                figure.higherIsBetter(),
                figure.goal(),
                figure.absolute()));
  }

  void failed(String sitting, int round, Kind kind, String id, String why) throws IOException {
    append(line("failed", sitting, round, kind) + '\t' + id + '\t' + why.replaceAll("\\s+", " "));
  }

  void beside(String sitting, int round, Kind kind, double percent) throws IOException {
    append(line("beside", sitting, round, kind) + '\t' + percent);
  }

  /// The most that others took of the machine in a sitting, in percent of a core.
  double mostBeside() {
    return lines.stream()
        .filter(line -> line.startsWith("beside\t"))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf('\t') + 1)))
        .max()
        .orElse(Double.NaN);
  }

  void done(String sitting, int round, Kind kind) throws IOException {
    append(line("done", sitting, round, kind));
  }

  /// All figures and failures.
  Table table() {
    Table table = new Table();
    for (String line : lines) {
      String[] fields = line.split("\t", -1);
      if (fields[0].equals("figure")) {
        table.add(
            fields[4],
            Kind.valueOf(fields[3]),
            List.of(
                new Figure(
                    fields[5],
                    fields[6],
                    Double.parseDouble(fields[7]),
                    Boolean.parseBoolean(fields[8]),
                    Double.parseDouble(fields[9]),
                    Boolean.parseBoolean(fields[10]))));
      } else if (fields[0].equals("failed")) {
        table.failed(fields[4], Kind.valueOf(fields[3]), fields[5]);
      }
    }
    return table;
  }

  private static String line(String type, String sitting, int round, Kind kind) {
    return type + '\t' + sitting + '\t' + round + '\t' + kind;
  }

  private void append(String line) throws IOException {
    lines.add(line);
    Files.writeString(file, line + '\n', StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
