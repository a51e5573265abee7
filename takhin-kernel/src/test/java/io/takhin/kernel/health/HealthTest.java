package io.takhin.kernel.health;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.HealthCheck;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HealthTest {
  private final List<HealthCheck> checks = new ArrayList<>();
  private final AtomicLong nanos = new AtomicLong(5);
  private final AtomicInteger hung = new AtomicInteger();
  private final Health health = new Health(() -> checks, nanos::get, hung::incrementAndGet);
  private HealthServer server;

  @BeforeEach
  void listen() throws IOException {
    server =
        new HealthServer(
            new HealthConfig(true, "127.0.0.1", 0),
            health,
            () -> Instant.parse("2026-01-06T10:00:00.123Z"));
  }

  @AfterEach
  void close() {
    server.close();
  }

  @Test
  void theManualsAnswerOfAHealthyBroker() throws IOException {
    health.phase(Health.Phase.RUNNING);
    assertEquals(
        "200 {\"status\":\"healthy\",\"timestamp\":\"2026-01-06T10:00:00Z\","
            + "\"components\":{\"kernel\":{\"status\":\"healthy\"}}}",
        get("/health"));
    assertEquals("200 {\"ready\":true}", get("/health/ready"));
    assertEquals("200 {\"alive\":true}", get("/health/live"));
  }

  @Test
  void notReadyButAliveWhileItStartsAndWhileItStops() throws IOException {
    assertEquals("503 {\"ready\":false}", get("/health/ready"));
    assertEquals("200 {\"alive\":true}", get("/health/live"));
    health.phase(Health.Phase.RUNNING);
    assertEquals("200 {\"ready\":true}", get("/health/ready"));
    health.phase(Health.Phase.DRAINING);
    assertEquals("503 {\"ready\":false}", get("/health/ready"));
    assertTrue(get("/health").startsWith("503 {\"status\":\"unhealthy\""));
    assertEquals("200 {\"alive\":true}", get("/health/live"));
  }

  @Test
  void anUnhealthyPartMakesItNotReadyAndADegradedOneDoesNot() throws IOException {
    health.phase(Health.Phase.RUNNING);
    checks.add(check("disk", new HealthCheck.Health(HealthCheck.Status.DEGRADED, "one \"gone\"")));
    assertEquals("200 {\"ready\":true}", get("/health/ready"));
    assertTrue(
        get("/health")
            .contains("\"disk\":{\"status\":\"degraded\",\"message\":\"one \\\"gone\\\"\"}"));
    checks.add(check("disk", new HealthCheck.Health(HealthCheck.Status.UNHEALTHY, "all gone")));
    assertEquals("503 {\"ready\":false}", get("/health/ready"));
    assertTrue(get("/health").contains("all gone"));
  }

  @Test
  void aCheckThatThrowsCountsAsUnhealthy() throws IOException {
    health.phase(Health.Phase.RUNNING);
    checks.add(check("bad", null));
    assertEquals("503 {\"ready\":false}", get("/health/ready"));
    assertTrue(get("/health").contains("boom"));
  }

  @Test
  void notAliveWhenTheHousekeepingThreadHangsAndAliveAgainWhenItReturns() throws IOException {
    health.phase(Health.Phase.RUNNING);
    nanos.addAndGet(Health.HUNG_AFTER_NANOS);
    assertEquals("503 {\"alive\":false}", get("/health/live"));
    assertEquals("503 {\"alive\":false}", get("/health/live"));
    assertEquals("503 {\"ready\":false}", get("/health/ready"));
    assertEquals(1, hung.get());
    health.beat();
    assertEquals("200 {\"alive\":true}", get("/health/live"));
  }

  @Test
  void onlyGetAndHeadAndOnlyKnownPaths() throws IOException {
    assertTrue(request("POST", "/health").startsWith("405"));
    assertTrue(get("/").startsWith("404"));
    assertTrue(get("/health/../etc").startsWith("404"));
    health.phase(Health.Phase.RUNNING);
    assertEquals("200 ", request("HEAD", "/health"));
  }

  @Test
  void aTakenPortIsToldWithTheKeyToChange() {
    var refused =
        assertThrows(
            IOException.class,
            () ->
                new HealthServer(
                    new HealthConfig(true, "127.0.0.1", server.address().getPort()),
                    health,
                    Instant::now));
    assertTrue(String.valueOf(refused.getMessage()).contains("health.port"));
  }

  private static HealthCheck check(String name, HealthCheck.@Nullable Health answer) {
    return new HealthCheck() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public Health check() {
        if (answer == null) {
          throw new IllegalStateException("boom");
        }
        return answer;
      }
    };
  }

  private String get(String path) throws IOException {
    return request("GET", path);
  }

  private String request(String method, String path) throws IOException {
    URI uri = URI.create("http://127.0.0.1:" + server.address().getPort() + path);
    HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
    connection.setRequestMethod(method);
    int status = connection.getResponseCode();
    try (var body = status < 400 ? connection.getInputStream() : connection.getErrorStream()) {
      String text = body == null ? "" : new String(body.readAllBytes(), StandardCharsets.UTF_8);
      return status + " " + text.strip();
    }
  }
}
