package io.takhin.bench;

import io.takhin.bench.Broker.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Collects figures of both brokers over all rounds, and prints medians, spreads and ratios.
final class Table {
  private static final double TOLERANCE = 1.07;

  private final Map<String, Row> rows = new LinkedHashMap<>();

  private static final class Row {
    private final Figure first;
    private final Map<Kind, List<Double>> values = new EnumMap<>(Kind.class);

    Row(Figure first) {
      this.first = first;
    }

    List<Double> of(Kind kind) {
      return values.computeIfAbsent(kind, ignored -> new ArrayList<>());
    }
  }

  void add(Kind kind, List<Figure> figures) {
    for (Figure figure : figures) {
      rows.computeIfAbsent(figure.name(), ignored -> new Row(figure)).of(kind).add(figure.value());
    }
  }

  /// Markdown: median [min..max] of each, the ratio of medians, and the goal.
  String markdown() {
    StringBuilder out = new StringBuilder();
    out.append("| case | unit | Takhin | Apache Kafka | ratio | goal | floor |\n");
    out.append("|---|---|---:|---:|---:|---:|---:|\n");
    for (Row row : rows.values()) {
      List<Double> ours = row.of(Kind.TAKHIN);
      List<Double> theirs = row.of(Kind.KAFKA);
      double ratio =
          ours.isEmpty() || theirs.isEmpty() ? Double.NaN : median(ours) / median(theirs);
      out.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %s | %s | %s | %s | %s |%n",
              row.first.name(),
              row.first.unit(),
              spread(ours),
              spread(theirs),
              Double.isNaN(ratio) ? "" : "**" + number(ratio) + "**",
              goal(row.first, ratio),
              spread(row.of(Kind.FLOOR))));
    }
    return out.toString();
  }

  /// The ratios as tab-separated lines: name, median, least and greatest that the runs allow.
  List<String> ratios() {
    List<String> lines = new ArrayList<>();
    rows.forEach(
        (name, row) -> {
          Ratio ratio = ratio(row);
          if (ratio != null) {
            lines.add(
                String.format(
                    Locale.ROOT,
                    "%s\t%.4f\t%.4f\t%.4f",
                    name,
                    ratio.median,
                    ratio.least,
                    ratio.most));
          }
        });
    return lines;
  }

  /// What became worse than the committed ratios, beyond their spread and 7 %.
  List<String> worseThan(List<String> committed) {
    List<String> worse = new ArrayList<>();
    for (String line : committed) {
      String[] fields = line.split("\t", -1);
      Row row = rows.get(fields[0]);
      Ratio now = row == null ? null : ratio(row);
      if (now == null || row == null) {
        continue;
      }
      boolean higherIsBetter = row.first.higherIsBetter();
      double bound = Double.parseDouble(fields[higherIsBetter ? 2 : 3]);
      boolean bad =
          higherIsBetter ? now.median < bound / TOLERANCE : now.median > bound * TOLERANCE;
      if (bad) {
        worse.add(fields[0] + ": ratio " + number(now.median) + ", committed " + fields[1]);
      }
    }
    return worse;
  }

  private record Ratio(double median, double least, double most) {}

  private static @Nullable Ratio ratio(Row row) {
    List<Double> ours = row.of(Kind.TAKHIN);
    List<Double> theirs = row.of(Kind.KAFKA);
    if (ours.isEmpty() || theirs.isEmpty() || median(theirs) == 0) {
      return null;
    }
    return new Ratio(
        median(ours) / median(theirs),
        Collections.min(ours) / Collections.max(theirs),
        Collections.max(ours) / Collections.min(theirs));
  }

  private static String goal(Figure figure, double ratio) {
    if (Double.isNaN(figure.goal())) {
      return "";
    }
    boolean met = figure.higherIsBetter() ? ratio >= figure.goal() : ratio <= figure.goal();
    String sign = figure.higherIsBetter() ? ">= " : "<= ";
    String verdict = Double.isNaN(ratio) ? "" : met ? ", met" : ", missed";
    return sign + number(figure.goal()) + verdict;
  }

  private static String spread(List<Double> values) {
    if (values.isEmpty()) {
      return "";
    }
    double min = values.stream().min(Double::compare).orElseThrow();
    double max = values.stream().max(Double::compare).orElseThrow();
    return values.size() == 1
        ? number(min)
        : number(median(values)) + " [" + number(min) + ".." + number(max) + "]";
  }

  private static double median(List<Double> values) {
    List<Double> sorted = values.stream().sorted().toList();
    int middle = sorted.size() / 2;
    return sorted.size() % 2 == 1
        ? sorted.get(middle)
        : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
  }

  private static String number(double value) {
    return Math.abs(value) >= 1000
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%.0f" : "%.2f", value);
  }
}
