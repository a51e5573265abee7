package io.takhin.kernel.health;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.takhin.api.HealthCheck;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// Serves [Health] over HTTP. Only GET and HEAD; nothing of a request but its path is looked at.
public final class HealthServer implements AutoCloseable {
  private static final int BACKLOG = 64;
  private static final int THREADS = 3;

  private final Health health;
  private final InstantSource clock;
  private final HttpServer server;
  private final ExecutorService executor;

  static {
    // Bounds of the JDK's server, which reads them once. They hold for all who use it, a plugin
    // too if it takes the JDK's server instead of bringing one. Those on the command line win.
    bound("sun.net.httpserver.maxReqTime", "10");
    bound("sun.net.httpserver.maxRspTime", "30");
    // How often it looks for those that are over their time: a thread that wakes every second for
    // nothing, in each server, is a tenth of what an idle broker spends.
    bound("sun.net.httpserver.timerMillis", "5000");
    bound("sun.net.httpserver.maxReqHeaders", "50");
    bound("sun.net.httpserver.maxReqHeaderSize", "16384");
    bound("sun.net.httpserver.idleInterval", "10");
    bound("sun.net.httpserver.maxIdleConnections", "32");
    bound("jdk.httpserver.maxConnections", "256");
  }

  private static void bound(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /// Listens from now on.
  ///
  /// @throws IOException that names the port and the key to change
  public HealthServer(HealthConfig config, Health health, InstantSource clock) throws IOException {
    this.health = health;
    this.clock = clock;
    InetAddress address;
    try {
      address = InetAddress.getByName(config.host());
    } catch (IOException e) {
      throw new IOException("health.host: the address " + config.host() + " is not known", e);
    }
    try {
      server = HttpServer.create(new InetSocketAddress(address, config.port()), BACKLOG);
    } catch (IOException e) {
      throw new IOException(
          "the health server cannot listen on "
              + config.host()
              + ":"
              + config.port()
              + " ("
              + e.getMessage()
              + "): set health.port to a free port, or health.enabled to false",
          e);
    }
    AtomicInteger number = new AtomicInteger();
    executor =
        Executors.newFixedThreadPool(
            THREADS,
            body -> {
              Thread thread = new Thread(body, "takhin-health-" + number.incrementAndGet());
              thread.setDaemon(true);
              return thread;
            });
    server.setExecutor(executor);
    server.createContext("/", this::answer);
    server.start();
  }

  /// Where it listens.
  public InetSocketAddress address() {
    return server.getAddress();
  }

  @Override
  public void close() {
    server.stop(0);
    executor.shutdownNow();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        send(exchange, 405, "{\"error\":\"only GET and HEAD\"}");
        return;
      }
      switch (exchange.getRequestURI().getPath()) {
        case "/health" -> {
          Health.Report report = health.report();
          send(exchange, report.ready() ? 200 : 503, body(report));
        }
        case "/health/ready" -> {
          boolean ready = health.report().ready();
          send(exchange, ready ? 200 : 503, "{\"ready\":" + ready + "}");
        }
        case "/health/live" -> {
          boolean live = health.live();
          send(exchange, live ? 200 : 503, "{\"alive\":" + live + "}");
        }
        case null, default -> send(exchange, 404, "{\"error\":\"not found\"}");
      }
    }
  }

  private String body(Health.Report report) {
    StringBuilder json = new StringBuilder("{\"status\":\"").append(text(report.status()));
    json.append("\",\"timestamp\":\"").append(clock.instant().truncatedTo(ChronoUnit.SECONDS));
    json.append("\",\"components\":{");
    String separator = "";
    for (var component : report.components().entrySet()) {
      json.append(separator);
      separator = ",";
      Json.string(json, component.getKey());
      HealthCheck.Health state = component.getValue();
      json.append(":{\"status\":\"").append(text(state.status())).append('"');
      String message = state.message();
      if (message != null) {
        json.append(",\"message\":");
        Json.string(json, message);
      }
      json.append('}');
    }
    return json.append("}}").toString();
  }

  private static String text(HealthCheck.Status status) {
    return status.name().toLowerCase(Locale.ROOT);
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = (body + "\n").getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    if (exchange.getRequestMethod().equals("HEAD")) {
      exchange.getResponseHeaders().set("Content-Length", Integer.toString(bytes.length));
      exchange.sendResponseHeaders(status, -1);
    } else {
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }
}
