package io.takhin.bench;

import io.takhin.bench.Broker.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Collects figures of all brokers over all rounds, and gives medians, spreads and ratios.
final class Table {
  private static final double TOLERANCE = 1.07;

  private final Map<String, Row> rows = new LinkedHashMap<>();
  private final List<String> failures = new ArrayList<>();

  /// All that is known of one figure.
  static final class Row {
    private final String caseId;
    private final Figure first;
    private final Map<Kind, List<Double>> values = new EnumMap<>(Kind.class);

    Row(String caseId, Figure first) {
      this.caseId = caseId;
      this.first = first;
    }

    String caseId() {
      return caseId;
    }

    /// The figure as it was first measured: its name, unit and goal.
    Figure figure() {
      return first;
    }

    List<Double> of(Kind kind) {
      return values.computeIfAbsent(kind, ignored -> new ArrayList<>());
    }

    /// Takhin's numbers to those of another; null if one of them has none.
    @Nullable Ratio to(Kind other) {
      List<Double> ours = of(Kind.TAKHIN);
      List<Double> theirs = of(other);
      if (ours.isEmpty() || theirs.isEmpty() || median(theirs) == 0) {
        return null;
      }
      return new Ratio(
          median(ours) / median(theirs),
          Collections.min(ours) / Collections.max(theirs),
          Collections.max(ours) / Collections.min(theirs));
    }

    /// Whether the goal is met, with what was measured; null if there is none or nothing.
    @Nullable Boolean met() {
      Ratio ratio = to(Kind.KAFKA);
      List<Double> ours = of(Kind.TAKHIN);
      if (Double.isNaN(first.goal()) || (first.absolute() ? ours.isEmpty() : ratio == null)) {
        return null;
      }
      double reached = first.absolute() || ratio == null ? median(ours) : ratio.median();
      return first.higherIsBetter() ? reached >= first.goal() : reached <= first.goal();
    }
  }

  /// One broker's number to another's.
  ///
  /// @param median of the medians
  /// @param least that single runs allow
  /// @param most that single runs allow
  record Ratio(double median, double least, double most) {}

  void add(String caseId, Kind kind, List<Figure> figures) {
    for (Figure figure : figures) {
      rows.computeIfAbsent(figure.name(), ignored -> new Row(caseId, figure))
          .of(kind)
          .add(figure.value());
    }
  }

  void failed(String caseId, Kind kind, String why) {
    failures.add(caseId + " with " + kind + ": " + why);
  }

  /// What failed, one line each.
  List<String> failures() {
    return failures;
  }

  /// The rows of some cases, in the order in which they were measured.
  List<Row> rows(Set<String> caseIds) {
    return rows.values().stream().filter(row -> caseIds.contains(row.caseId())).toList();
  }

  /// Markdown: median [min..max] of each, the ratio of medians, and the goal.
  String markdown() {
    return markdown(List.copyOf(rows.values()));
  }

  /// The same of some rows.
  static String markdown(List<Row> rows) {
    boolean tuned = rows.stream().anyMatch(row -> !row.of(Kind.TUNED).isEmpty());
    boolean floor = rows.stream().anyMatch(row -> !row.of(Kind.FLOOR).isEmpty());
    StringBuilder out = new StringBuilder();
    out.append("| case | unit | Takhin | Apache Kafka | ratio | goal |")
        .append(tuned ? " Kafka tuned |" : "")
        .append(floor ? " floor |" : "")
        .append('\n');
    out.append("|---|---|---:|---:|---:|---:|")
        .append(tuned ? "---:|" : "")
        .append(floor ? "---:|" : "")
        .append('\n');
    for (Row row : rows) {
      Ratio ratio = row.to(Kind.KAFKA);
      out.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s | %s |",
              row.first.name(),
              row.first.unit(),
              spread(row.of(Kind.TAKHIN)),
              spread(row.of(Kind.KAFKA)),
              ratio == null ? "" : "**" + number(ratio.median()) + "**",
              goal(row)));
      out.append(tuned ? " " + spread(row.of(Kind.TUNED)) + " |" : "")
          .append(floor ? " " + spread(row.of(Kind.FLOOR)) + " |" : "")
          .append('\n');
    }
    return out.toString();
  }

  /// The ratios as tab-separated lines: case, name, median, least and greatest that the runs allow.
  List<String> ratios() {
    List<String> lines = new ArrayList<>();
    for (Row row : rows.values()) {
      Ratio ratio = row.to(Kind.KAFKA);
      if (ratio != null) {
        lines.add(
            String.format(
                Locale.ROOT,
                "%s\t%s\t%.4f\t%.4f\t%.4f",
                row.caseId(),
                row.first.name(),
                ratio.median(),
                ratio.least(),
                ratio.most()));
      }
    }
    return lines;
  }

  /// What became worse than the committed ratios, beyond their spread, the spread of this run and
  /// 7 %: a stall of the machine in one run is none of the broker's. And what should have been
  /// measured and was not. Figures that nothing is promised of are not looked at: a median of
  /// half a millisecond is no reason to stop a release.
  ///
  /// @param measured the cases that this run was to measure
  List<String> worseThan(List<String> committed, Set<String> measured) {
    List<String> worse = new ArrayList<>();
    for (String line : committed) {
      String[] fields = line.split("\t", -1);
      if (!measured.contains(fields[0])) {
        continue;
      }
      Row row = rows.get(fields[1]);
      Ratio now = row == null ? null : row.to(Kind.KAFKA);
      if (now == null || row == null) {
        worse.add(fields[1] + ": not measured, committed " + fields[2]);
        continue;
      }
      if (Double.isNaN(row.first.goal())) {
        continue;
      }
      boolean higherIsBetter = row.first.higherIsBetter();
      double bound = Double.parseDouble(fields[higherIsBetter ? 3 : 4]);
      boolean bad =
          higherIsBetter ? now.most() < bound / TOLERANCE : now.least() > bound * TOLERANCE;
      if (bad) {
        worse.add(fields[1] + ": ratio " + number(now.median()) + ", committed " + fields[2]);
      }
    }
    return worse;
  }

  private static String goal(Row row) {
    Figure figure = row.first;
    if (Double.isNaN(figure.goal())) {
      return "";
    }
    String sign = figure.higherIsBetter() ? ">= " : "<= ";
    Boolean met = row.met();
    String verdict = met == null ? "" : met ? ", met" : ", missed";
    String what = figure.absolute() ? " itself" : "";
    return sign + number(figure.goal()) + what + verdict;
  }

  static String spread(List<Double> values) {
    if (values.isEmpty()) {
      return "";
    }
    return values.size() == 1
        ? number(values.getFirst())
        : number(median(values))
            + " ["
            + number(Collections.min(values))
            + ".."
            + number(Collections.max(values))
            + "]";
  }

  static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  static String number(double value) {
    return Math.abs(value) >= 1000
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : "%.2f", value);
  }
}
