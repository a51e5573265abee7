package io.takhin.metrics.prometheus;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// The two text formats that scrapers ask for. They differ in the names of counters, in the words
/// for a family without a type, in escaping, and in that OpenMetrics ends with a line of its own.
enum TextFormat {
  /// Prometheus text, version 0.0.4: what a request without a wish gets.
  PROMETHEUS("text/plain; version=0.0.4; charset=utf-8"),
  /// OpenMetrics 1.0.
  OPEN_METRICS("application/openmetrics-text; version=1.0.0; charset=utf-8");

  private final String contentType;

  TextFormat(String contentType) {
    this.contentType = contentType;
  }

  /// What stands in the Content-Type header.
  String contentType() {
    return contentType;
  }

  /// Chooses by the Accept header. OpenMetrics is answered where it is named and not refused with
  /// `q=0`, unless plain text is liked better.
  static TextFormat accepted(@Nullable String accept) {
    if (accept == null) {
      return PROMETHEUS;
    }
    double openMetrics = 0;
    double text = 0;
    int start = 0;
    while (start <= accept.length()) {
      int comma = accept.indexOf(',', start);
      int end = comma < 0 ? accept.length() : comma;
      String range = accept.substring(start, end).strip().toLowerCase(Locale.ROOT);
      if (range.startsWith("application/openmetrics-text")) {
        openMetrics = Math.max(openMetrics, quality(range));
      } else if (range.startsWith("text/plain") || range.startsWith("*/*")) {
        text = Math.max(text, quality(range));
      }
      start = end + 1;
    }
    return openMetrics > 0 && openMetrics >= text ? OPEN_METRICS : PROMETHEUS;
  }

  private static double quality(String range) {
    int at = range.indexOf("q=");
    if (at < 0) {
      return 1;
    }
    int end = range.indexOf(';', at);
    try {
      return Double.parseDouble(range.substring(at + 2, end < 0 ? range.length() : end).strip());
    } catch (NumberFormatException malformed) {
      return 0;
    }
  }
}
