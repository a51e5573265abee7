package io.takhin.bench;

import io.takhin.bench.Broker.Kind;
import io.takhin.bench.Table.Ratio;
import io.takhin.bench.Table.Row;
import java.util.List;
import java.util.Locale;

/// Draws a group of cases: a bar a figure, as long as Takhin's part of what Apache Kafka needs for
/// the same work, so that shorter is better everywhere; rates are turned over for it. Colours
/// follow the reader's light or dark setting.
final class Chart {
  private static final int LABEL = 430;
  private static final int UNIT = 300;
  private static final int ROW = 24;
  private static final int TOP = 46;
  private static final int WIDTH = LABEL + (int) (UNIT * 1.25) + 130;
  private static final double LONGEST = 1.25;

  private static final String STYLE =
      """
      <style>
        text { font: 12px system-ui, sans-serif; fill: #1f2328; }
        .title { font-weight: 600; font-size: 14px; }
        .quiet { fill: #59636e; }
        .met { fill: #1f883d; } .missed { fill: #bc4c00; } .open { fill: #0969da; }
        .peer { stroke: #59636e; stroke-dasharray: 3 3; }
        .goal { stroke: #1f2328; stroke-width: 2; }
        .spread { stroke: #1f2328; stroke-width: 1; opacity: .6; }
        .floor { fill: none; stroke: #8250df; stroke-width: 2; }
        @media (prefers-color-scheme: dark) {
          text { fill: #f0f6fc; } .quiet { fill: #9198a1; }
          .met { fill: #3fb950; } .missed { fill: #db6d28; } .open { fill: #4493f8; }
          .peer { stroke: #9198a1; } .goal { stroke: #f0f6fc; } .spread { stroke: #f0f6fc; }
          .floor { stroke: #ab7df8; }
        }
      </style>
      """;

  private Chart() {}

  /// An SVG of those rows for which both brokers have numbers.
  static String svg(String title, List<Row> all) {
    List<Row> rows = all.stream().filter(row -> row.to(Kind.KAFKA) != null).toList();
    int height = TOP + rows.size() * ROW + 12;
    StringBuilder out = new StringBuilder();
    out.append(
        String.format(
            Locale.ROOT,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\""
                + " role=\"img\" aria-label=\"%s\">%n%s",
            WIDTH,
            height,
            WIDTH,
            escape(title),
            STYLE));
    out.append(text(10, 18, "title", "start", title));
    out.append(
        text(
            10,
            36,
            "quiet",
            "start",
            "Takhin's part of what Apache Kafka needs: green if the goal (upright line) is met; thin"
                + " line: spread, ring: floor"));
    out.append(text(LABEL + UNIT, TOP - 8, "quiet", "middle", "Kafka"));
    out.append(
        String.format(
            Locale.ROOT,
            "<line class=\"peer\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>%n",
            LABEL + UNIT,
            TOP - 4,
            LABEL + UNIT,
            height - 8));
    for (int i = 0; i < rows.size(); i++) {
      out.append(row(rows.get(i), TOP + i * ROW));
    }
    return out.append("</svg>\n").toString();
  }

  private static String row(Row row, int top) {
    Ratio ratio = row.to(Kind.KAFKA);
    if (ratio == null) {
      return "";
    }
    Figure figure = row.figure();
    boolean turned = figure.higherIsBetter();
    double part = turned ? 1 / ratio.median() : ratio.median();
    double least = turned ? 1 / ratio.most() : ratio.least();
    double most = turned ? 1 / ratio.least() : ratio.most();
    Boolean met = row.met();
    String colour = met == null ? "open" : met ? "met" : "missed";
    int middle = top + ROW / 2;
    StringBuilder out = new StringBuilder();
    out.append(text(LABEL - 8, middle + 4, "", "end", figure.name()));
    out.append(
        String.format(
            Locale.ROOT,
            "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>%n",
            colour,
            LABEL,
            top + 4,
            length(part),
            ROW - 8));
    out.append(line("spread", LABEL + length(least), middle, LABEL + length(most), middle));
    if (!Double.isNaN(figure.goal()) && !figure.absolute()) {
      double at = LABEL + length(turned ? 1 / figure.goal() : figure.goal());
      out.append(line("goal", at, top + 2, at, top + ROW - 2));
    }
    List<Double> floor = row.of(Kind.FLOOR);
    if (!floor.isEmpty()) {
      double toFloor = Table.median(floor) / Table.median(row.of(Kind.KAFKA));
      out.append(
          String.format(
              Locale.ROOT,
              "<circle class=\"floor\" cx=\"%.1f\" cy=\"%d\" r=\"4\"/>%n",
              LABEL + length(turned ? 1 / toFloor : toFloor),
              middle));
    }
    String numbers =
        Table.number(Table.median(row.of(Kind.TAKHIN)))
            + " : "
            + Table.number(Table.median(row.of(Kind.KAFKA)))
            + " "
            + figure.unit();
    out.append(text(WIDTH - 6, middle + 4, "quiet", "end", numbers));
    return out.toString();
  }

  private static double length(double part) {
    return Math.max(0, Math.min(LONGEST, part)) * UNIT;
  }

  private static String line(String style, double x1, int y1, double x2, int y2) {
    return String.format(
        Locale.ROOT,
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>%n",
        style,
        x1,
        y1,
        x2,
        y2);
  }

  private static String text(int x, int y, String style, String anchor, String words) {
    return String.format(
        Locale.ROOT,
        "<text x=\"%d\" y=\"%d\" class=\"%s\" text-anchor=\"%s\">%s</text>%n",
        x,
        y,
        style,
        anchor,
        escape(words));
  }

  private static String escape(String words) {
    return words.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}
