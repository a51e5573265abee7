package io.takhin.metrics.prometheus;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.Service;
import io.takhin.api.TakhinException;
import io.takhin.api.metrics.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The listener on `metrics.port`.
///
/// A page is rendered whole before its first byte is sent, so that a source that fails gives a 500
/// and never half a page. Two pages at most are rendered at a time; what does not fit in the queue
/// behind them is refused by closing its connection.
///
/// Threading: see the package. Blocking: [#start] until the port is bound, [#close] for at most a
/// second. Errors: [TakhinException] that names the address and the key when it cannot be bound.
final class PrometheusExporter implements Service {
  private static final Logger log = LoggerFactory.getLogger(PrometheusExporter.class);

  /// Connections that may wait to be accepted.
  private static final int BACKLOG = 16;

  /// Requests that may wait for one of the two renderers.
  private static final int QUEUE = 32;

  /// The longest page of the broker's own values: about 500,000 values.
  private static final int LIMIT_CHARS = 64 * 1024 * 1024;

  private final PrometheusConfig config;
  private final PluginContext context;
  private final Metrics.Counter scrapes;
  private final Metrics.Histogram scrapeDuration;
  private @Nullable JvmMeters jvm; // guarded by this
  private boolean closed; // guarded by this
  private @Nullable HttpServer server;
  private @Nullable ThreadPoolExecutor renderers;

  PrometheusExporter(PrometheusConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
    this.scrapes =
        context
            .metrics()
            .counter("takhin_metrics_scrapes_total", "Pages of metrics that were asked for.");
    this.scrapeDuration =
        context
            .metrics()
            .histogram(
                "takhin_metrics_scrape_duration_seconds", "How long a page of metrics took.");
  }

  @Override
  public void start() {
    if (!config.enabled()) {
      log.info("metrics.enabled is false: no metrics listener");
      return;
    }
    InetSocketAddress address = address();
    HttpServer http;
    try {
      http = HttpServer.create(address, BACKLOG);
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "The metrics listener cannot bind "
              + address.getHostString()
              + ":"
              + config.port()
              + " ("
              + e.getMessage()
              + "). Find who has the port with: ss -ltnp 'sport = :"
              + config.port()
              + "', or set metrics.port (TAKHIN_METRICS_PORT) to another one.",
          e);
    }
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            2, 2, 30, TimeUnit.SECONDS, new ArrayBlockingQueue<>(QUEUE), context.threads("render"));
    pool.allowCoreThreadTimeOut(true);
    renderers = pool;
    http.setExecutor(pool);
    http.createContext("/", this::answer);
    http.start();
    server = http;
    log.info(
        "metrics on http://{}:{}{}",
        address.getHostString(),
        http.getAddress().getPort(),
        config.path());
  }

  private InetSocketAddress address() {
    if (config.host().isEmpty()) {
      return new InetSocketAddress(config.port());
    }
    try {
      return new InetSocketAddress(InetAddress.getByName(config.host()), config.port());
    } catch (UnknownHostException e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "metrics.host is '"
              + config.host()
              + "', which has no address. Set it to an address of this machine, or to 0.0.0.0.",
          e);
    }
  }

  /// The port that was bound, for tests; only after [#start] with metrics enabled.
  int port() {
    HttpServer http = server;
    if (http == null) {
      throw new IllegalStateException("not listening");
    }
    return http.getAddress().getPort();
  }

  private void answer(HttpExchange exchange) {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        text(exchange, 405, "405: metrics are read with GET\n");
      } else if (!exchange.getRequestURI().getPath().equals(config.path())) {
        text(exchange, 404, "404: metrics are at " + config.path() + "\n");
      } else {
        page(exchange, method.equals("HEAD"));
      }
    } catch (IOException e) {
      log.debug("a scraper went away: {}", e.toString());
    }
  }

  private void page(HttpExchange exchange, boolean head) throws IOException {
    TextFormat format = TextFormat.accepted(exchange.getRequestHeaders().getFirst("Accept"));
    byte[] body;
    try {
      body = render(format);
    } catch (RuntimeException e) {
      log.error("metrics cannot be rendered", e);
      text(exchange, 500, "500: metrics cannot be rendered, the log says why\n");
      return;
    }
    exchange.getResponseHeaders().set("Content-Type", format.contentType());
    exchange.getResponseHeaders().set("Vary", "Accept, Accept-Encoding");
    if (head) {
      exchange.sendResponseHeaders(200, -1);
      return;
    }
    String encodings = exchange.getRequestHeaders().getFirst("Accept-Encoding");
    if (encodings != null && encodings.contains("gzip")) {
      exchange.getResponseHeaders().set("Content-Encoding", "gzip");
      exchange.sendResponseHeaders(200, 0);
      try (OutputStream out = new GZIPOutputStream(exchange.getResponseBody(), 8192)) {
        out.write(body);
      }
    } else {
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /// The whole page: the broker's families, then those of the JVM and the process.
  byte[] render(TextFormat format) {
    long began = context.nanoTime();
    scrapes.increment();
    StringBuilder own = new StringBuilder(64 * 1024);
    TextWriter writer = new TextWriter(format, own, LIMIT_CHARS);
    context.metrics().visit(writer);
    writer.finish();
    ByteArrayOutputStream out = new ByteArrayOutputStream(own.length() + 32 * 1024);
    out.writeBytes(own.toString().getBytes(StandardCharsets.UTF_8));
    // This one ends an OpenMetrics page with its last line, so it comes last.
    out.writeBytes(jvm().scrape(format.contentType()).getBytes(StandardCharsets.UTF_8));
    scrapeDuration.record(context.nanoTime() - began);
    return out.toByteArray();
  }

  /// Made for the first page: Micrometer's many classes are a part of a start that nobody waits
  /// for, and of the memory of a broker that nobody asks.
  private synchronized JvmMeters jvm() {
    if (closed) {
      throw new IllegalStateException("the metrics exporter is closed");
    }
    JvmMeters made = jvm;
    if (made == null) {
      made = new JvmMeters();
      jvm = made;
    }
    return made;
  }

  private static void text(HttpExchange exchange, int status, String message) throws IOException {
    byte[] body = message.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  @Override
  public void close() {
    HttpServer http = server;
    if (http != null) {
      http.stop(0);
      server = null;
    }
    ThreadPoolExecutor pool = renderers;
    if (pool != null) {
      pool.shutdownNow();
      try {
        if (!pool.awaitTermination(1, TimeUnit.SECONDS)) {
          log.warn("a page of metrics is still being rendered");
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      renderers = null;
    }
    closeJvm();
  }

  private synchronized void closeJvm() {
    closed = true;
    JvmMeters made = jvm;
    jvm = null;
    if (made != null) {
      made.close();
    }
  }
}
