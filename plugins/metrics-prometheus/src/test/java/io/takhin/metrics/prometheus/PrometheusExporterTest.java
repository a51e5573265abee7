package io.takhin.metrics.prometheus;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TakhinException;
import io.takhin.testkit.TestContext;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class PrometheusExporterTest {
  /// One line of Prometheus text that is not a comment.
  private static final Pattern SAMPLE =
      Pattern.compile(
          "[a-zA-Z_:][a-zA-Z0-9_:]*"
              + "(\\{([a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\\\n]|\\\\[\"\\\\n])*\",?)*})?"
              + " (NaN|[+-]Inf|-?[0-9][0-9.E+-]*)");

  private final TestContext context = TestContext.real().build();

  @AfterEach
  void close() {
    context.close();
  }

  private PrometheusExporter exporter(boolean enabled, int port) {
    return new PrometheusExporter(
        new PrometheusConfig(enabled, "127.0.0.1", port, "/metrics"), context);
  }

  /// What came back, its body unpacked by nobody.
  private record Response(int status, String contentType, String encoding, byte[] bytes) {
    String body() {
      return new String(bytes, StandardCharsets.UTF_8);
    }
  }

  private static Response get(int port, String path, String... headers) throws IOException {
    HttpURLConnection connection =
        (HttpURLConnection) URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
    for (int i = 0; i < headers.length; i += 2) {
      connection.setRequestProperty(headers[i], headers[i + 1]);
    }
    int status = connection.getResponseCode();
    try (InputStream in =
        status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      return new Response(
          status,
          connection.getContentType(),
          String.valueOf(connection.getContentEncoding()),
          in.readAllBytes());
    }
  }

  @Test
  void thePageHoldsTheBrokersValuesAndThoseOfTheJvm() throws Exception {
    context.metrics().counter("takhin_things_total", "Things.", "kind", "a \"b\"").add(3);
    context
        .metrics()
        .gauges("takhin_level", "Level.", sink -> sink.value(1.5, "where", "ligne\nà"));
    PrometheusExporter exporter = exporter(true, 0);
    exporter.start();
    try {
      Response response = get(exporter.port(), "/metrics");
      String page = response.body();
      assertEquals(200, response.status());
      assertEquals("text/plain; version=0.0.4; charset=utf-8", response.contentType());
      assertTrue(page.contains("takhin_things_total{kind=\"a \\\"b\\\"\"} 3\n"), page);
      assertTrue(page.contains("takhin_level{where=\"ligne\\nà\"} 1.5\n"), page);
      for (String name :
          new String[] {
            "jvm_memory_used_bytes",
            "jvm_gc_memory_allocated_bytes_total",
            "jvm_threads_live_threads",
            "jvm_classes_loaded_classes",
            "process_cpu_usage",
            "process_uptime_seconds",
            "process_files_open_files",
            "jvm_info"
          }) {
        assertTrue(page.contains("\n" + name), name + " is missing in " + page);
      }
      checkStrictly(page);
    } finally {
      exporter.close();
    }
  }

  private static void checkStrictly(String page) {
    assertTrue(page.endsWith("\n"));
    Set<String> types = new HashSet<>();
    Set<String> series = new HashSet<>();
    for (String line : page.lines().toList()) {
      if (line.startsWith("# TYPE ")) {
        assertTrue(types.add(line.substring(7, line.indexOf(' ', 7))), "typed twice: " + line);
      } else if (!line.startsWith("# HELP ")) {
        assertTrue(SAMPLE.matcher(line).matches(), "not a sample: " + line);
        assertTrue(series.add(line.substring(0, line.lastIndexOf(' '))), "twice: " + line);
      }
    }
  }

  @Test
  void openMetricsEndsWithItsLastLineAndOnlyOnce() throws Exception {
    context.metrics().counter("takhin_things_total", "Things.").add(3);
    PrometheusExporter exporter = exporter(true, 0);
    exporter.start();
    try {
      Response response =
          get(exporter.port(), "/metrics", "Accept", "application/openmetrics-text");
      String page = response.body();
      assertEquals(
          "application/openmetrics-text; version=1.0.0; charset=utf-8", response.contentType());
      assertTrue(page.contains("# TYPE takhin_things counter\ntakhin_things_total 3"), page);
      assertTrue(page.endsWith("# EOF\n"), page);
      assertEquals(page.length() - 6, page.indexOf("# EOF"));
    } finally {
      exporter.close();
    }
  }

  @Test
  void aScraperThatAsksForGzipGetsIt() throws Exception {
    PrometheusExporter exporter = exporter(true, 0);
    exporter.start();
    try {
      Response response = get(exporter.port(), "/metrics", "Accept-Encoding", "gzip");
      assertEquals("gzip", response.encoding());
      try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(response.bytes()))) {
        assertTrue(
            new String(in.readAllBytes(), StandardCharsets.UTF_8)
                .contains("jvm_memory_used_bytes"));
      }
    } finally {
      exporter.close();
    }
  }

  @Test
  void otherPathsAreNotFoundAndSayWhereMetricsAre() throws Exception {
    PrometheusExporter exporter = exporter(true, 0);
    exporter.start();
    try {
      Response response = get(exporter.port(), "/metricsandmore");
      assertEquals(404, response.status());
      assertTrue(response.body().contains("/metrics"));
    } finally {
      exporter.close();
    }
  }

  @Test
  void aSourceThatThrowsGivesA500AndNeverHalfAPage() throws Exception {
    context
        .metrics()
        .gauges(
            "takhin_broken",
            "Broken.",
            sink -> {
              throw new IllegalStateException("broken on purpose");
            });
    PrometheusExporter exporter = exporter(true, 0);
    exporter.start();
    try {
      Response response = get(exporter.port(), "/metrics");
      assertEquals(500, response.status());
      assertFalse(response.body().contains("jvm_"));
    } finally {
      exporter.close();
    }
  }

  @Test
  void aTakenPortIsNamedWithItsKey() throws Exception {
    PrometheusExporter exporter;
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      exporter = exporter(true, taken.getLocalPort());
      TakhinException refused = assertThrows(TakhinException.class, exporter::start);
      assertTrue(refused.toString().contains("127.0.0.1:" + taken.getLocalPort()));
      assertTrue(refused.toString().contains("metrics.port"));
    }
    exporter.close();
  }

  @Test
  void nothingListensWhenDisabledAndNothingIsLeftAfterClose() throws Exception {
    PrometheusExporter off = exporter(false, 0);
    off.start();
    assertThrows(IllegalStateException.class, off::port);
    off.close();

    PrometheusExporter on = exporter(true, 0);
    on.start();
    int port = on.port();
    get(port, "/metrics");
    on.close();
    assertThrows(ConnectException.class, () -> get(port, "/metrics"));
    // The pool has ended before its threads have, by a moment.
    for (Thread thread : context.liveThreads()) {
      if (thread.getName().contains("render")) {
        assertTrue(thread.join(Duration.ofSeconds(10)), () -> "still running: " + thread);
      }
    }
  }

  @Test
  void aPathWithoutASlashIsRefused() {
    IllegalArgumentException refused =
        assertThrows(
            IllegalArgumentException.class, () -> new PrometheusConfig(true, "", 9090, "metrics"));
    assertTrue(refused.toString().contains("metrics.path"));
  }
}
