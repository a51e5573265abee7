package io.takhin.distribution.differential;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;

/// The differences that shall be, from the file `accepted-differences.md` beside this class's
/// recordings.
final class AcceptedDifferences {
  private static final String FILE = "/differential/accepted-differences.md";

  /// One of them: regular expressions for the whole of each part.
  record Accepted(
      String number, Pattern script, Pattern api, Pattern path, Pattern kafka, Pattern takhin) {
    boolean covers(Script asked, Difference difference) {
      return script.matcher(asked.name()).matches()
          && api.matcher(difference.step().title()).matches()
          && path.matcher(difference.path()).matches()
          && kafka.matcher(difference.kafka()).matches()
          && takhin.matcher(difference.takhin()).matches();
    }
  }

  private final List<Accepted> list;
  private final Set<String> met = new HashSet<>();

  private AcceptedDifferences(List<Accepted> list) {
    this.list = list;
  }

  /// Reads the list: lines of a table with seven columns, number, scripts, API, field, Kafka,
  /// Takhin, reason.
  static AcceptedDifferences read() {
    InputStream file = AcceptedDifferences.class.getResourceAsStream(FILE);
    if (file == null) {
      throw new IllegalStateException("no " + FILE);
    }
    List<Accepted> list = new ArrayList<>();
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        String[] columns = line.split(" \\| ", 7);
        if (line.startsWith("| D")) {
          if (columns.length != 7) {
            throw new IllegalStateException("not seven columns: " + line);
          }
          list.add(
              new Accepted(
                  columns[0].substring(2).strip(),
                  pattern(columns[1]),
                  pattern(columns[2]),
                  pattern(columns[3]),
                  pattern(columns[4]),
                  pattern(columns[5])));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new AcceptedDifferences(list);
  }

  private static Pattern pattern(String column) {
    String text = column.strip();
    // In a table the bar of an alternative is written \|.
    return Pattern.compile(
        text.substring(1, text.length() - 1).replace("\\|", "|"), Pattern.DOTALL);
  }

  /// Whether a difference is in the list.
  boolean covers(Script asked, Difference difference) {
    boolean covered = false;
    for (Accepted accepted : list) {
      if (accepted.covers(asked, difference)) {
        met.add(accepted.number());
        covered = true;
      }
    }
    return covered;
  }

  /// Those of the list that no difference was covered by so far.
  List<String> notMet() {
    return list.stream().map(Accepted::number).filter(number -> !met.contains(number)).toList();
  }
}
