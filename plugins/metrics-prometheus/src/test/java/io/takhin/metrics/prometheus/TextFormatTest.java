package io.takhin.metrics.prometheus;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextFormatTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      value = {
        "-|PROMETHEUS",
        "text/plain|PROMETHEUS",
        "*/*|PROMETHEUS",
        "application/openmetrics-text|OPEN_METRICS",
        "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5|OPEN_METRICS",
        "application/openmetrics-text;q=0.2,text/plain;q=0.5|PROMETHEUS",
        "application/openmetrics-text;q=0|PROMETHEUS",
        "application/openmetrics-text;q=high|PROMETHEUS",
        ",,,;q=|PROMETHEUS"
      })
  void theAcceptHeaderChoosesTheFormat(String accept, TextFormat expected) {
    assertEquals(expected, TextFormat.accepted(accept));
  }
}
