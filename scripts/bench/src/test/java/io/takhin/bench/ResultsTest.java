package io.takhin.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.bench.Broker.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsTest {
  private static final Case CASE = Case.of("fetch", "F1", broker -> List.of());

  @TempDir private Path dir;

  private Results open() throws IOException {
    return new Results(dir.resolve("results.tsv"));
  }

  @Test
  void aRunThatWasCutOffGoesOnWhereItWas() throws IOException {
    Results first = open();
    first.begin("fetch", 0, Kind.TAKHIN);
    first.figure("fetch", 0, Kind.TAKHIN, CASE, Figure.cost("F1: CPU", "s", 2, 1.0));
    first.done("fetch", 0, Kind.TAKHIN);
    first.begin("fetch", 0, Kind.KAFKA);
    first.figure("fetch", 0, Kind.KAFKA, CASE, Figure.cost("F1: CPU", "s", 99, 1.0));

    Results second = open();
    assertTrue(second.isDone("fetch", 0, Kind.TAKHIN));
    assertFalse(second.isDone("fetch", 0, Kind.KAFKA));
    second.begin("fetch", 0, Kind.KAFKA);
    second.figure("fetch", 0, Kind.KAFKA, CASE, Figure.cost("F1: CPU", "s", 4, 1.0));

    assertEquals(List.of("F1\tF1: CPU\t0.5000\t0.5000\t0.5000"), open().table().ratios());
  }

  @Test
  void anotherRoundOfTheSameSittingStays() throws IOException {
    Results results = open();
    for (int round = 0; round < 11; round++) {
      results.begin("fetch", round, Kind.KAFKA);
      results.figure("fetch", round, Kind.KAFKA, CASE, Figure.cost("F1: CPU", "s", round, 1.0));
      results.done("fetch", round, Kind.KAFKA);
    }
    results.begin("fetch", 1, Kind.KAFKA);
    assertTrue(open().isDone("fetch", 10, Kind.KAFKA));
    assertEquals(10, open().table().rows(Set.of("F1")).getFirst().of(Kind.KAFKA).size());
  }

  @Test
  void whatFailedIsKeptAndSaid() throws IOException {
    open().failed("fetch", 0, Kind.KAFKA, "F4", "it broke\nin two\tlines");
    assertEquals(List.of("F4 with KAFKA: it broke in two lines"), open().table().failures());
  }

  @Test
  void goalsAndDirectionsSurviveTheFile() throws IOException {
    Results results = open();
    results.figure("fetch", 0, Kind.TAKHIN, CASE, Figure.gain("rate", "/s", 3, 1.5));
    results.figure("fetch", 0, Kind.KAFKA, CASE, Figure.gain("rate", "/s", 1, 1.5));
    results.figure("fetch", 0, Kind.TAKHIN, CASE, Figure.limit("promise", "ms", 3, 10));
    results.figure("fetch", 0, Kind.TAKHIN, CASE, Figure.cost("seen", "ms", 3));
    String table = open().table().markdown();
    assertTrue(table.contains(">= 1.50, met"), table);
    assertTrue(table.contains("<= 10.00 itself, met"), table);
    assertTrue(table.contains("| seen | ms | 3.00 |  |  |  |"), table);
  }

  @Test
  void thePageKeepsItsWordsAroundTheFigures() throws IOException {
    String page = "before\n" + Report.FROM + "\nold\n" + Report.TO + "\nafter\n";
    assertEquals(
        "before\n" + Report.FROM + "\nnew\n" + Report.TO + "\nafter\n",
        Report.replaced(page, "new\n"));
    Path docs = Files.createDirectory(dir.resolve("docs"));
    Files.writeString(docs.resolve("performance.md"), page);
    Results results = open();
    results.figure("fetch", 0, Kind.TAKHIN, CASE, Figure.cost("F1 <a>", "s", 1, 0.3));
    results.figure("fetch", 0, Kind.KAFKA, CASE, Figure.cost("F1 <a>", "s", 4, 0.3));
    results.beside("fetch", 0, Kind.TAKHIN, 4.4);
    results.beside("fetch", 0, Kind.KAFKA, 7.6);
    Report.publish(results, docs);
    String published = Files.readString(docs.resolve("performance.md"));
    assertTrue(published.contains("took at most 8 % of a core"), published);
    assertTrue(published.contains("![Fetch](performance/fetch.svg)"), published);
    assertTrue(published.contains("| F1 <a> | s | 1.00 | 4.00 | **0.25** |"), published);
    assertTrue(published.endsWith(Report.TO + "\nafter\n"), published);
    String chart = Files.readString(docs.resolve("performance/fetch.svg"));
    assertTrue(chart.contains(">F1 &lt;a></text>"), chart);
    assertTrue(chart.contains("class=\"met\" x=\"430\" y=\"50\" width=\"75.0\""), chart);
  }
}
