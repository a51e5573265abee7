package io.takhin.kernel.health;

import io.takhin.api.HealthCheck;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/// What is known of the process's health.
public final class Health {
  /// How long the housekeeping thread may be stuck before the process counts as hung.
  static final long HUNG_AFTER_NANOS = 30_000_000_000L;

  private final Supplier<List<HealthCheck>> checks;
  private final LongSupplier nanoTime;
  private final Runnable onHung;
  private final AtomicBoolean hungReported = new AtomicBoolean();
  // Written by the main thread, read by the health server.
  private volatile Phase phase = Phase.STARTING;
  // Written by the housekeeping thread, read by the health server.
  private volatile long lastBeatNanos;

  /// How far the kernel is.
  public enum Phase {
    /// Not all services have started.
    STARTING,
    /// All have.
    RUNNING,
    /// Takes no new work.
    DRAINING
  }

  /// Health of a kernel that starts.
  ///
  /// @param checks those of all plugins now
  /// @param nanoTime monotonic clock
  /// @param onHung told once when the housekeeping thread is found stuck, so that somebody logs why
  public Health(Supplier<List<HealthCheck>> checks, LongSupplier nanoTime, Runnable onHung) {
    this.checks = checks;
    this.onHung = onHung;
    this.nanoTime = nanoTime;
    this.lastBeatNanos = nanoTime.getAsLong();
  }

  /// Moves on.
  public void phase(Phase now) {
    phase = now;
  }

  /// The housekeeping thread is alive; it says so every few seconds.
  public void beat() {
    lastBeatNanos = nanoTime.getAsLong();
  }

  /// Whether the housekeeping thread gets its turn.
  public boolean live() {
    boolean live = nanoTime.getAsLong() - lastBeatNanos < HUNG_AFTER_NANOS;
    if (!live && hungReported.compareAndSet(false, true)) {
      onHung.run();
    }
    return live;
  }

  /// The worst state of all components, with each of them.
  public Report report() {
    Map<String, HealthCheck.Health> components = new LinkedHashMap<>();
    HealthCheck.Status worst = HealthCheck.Status.HEALTHY;
    components.put("kernel", kernel());
    for (HealthCheck check : checks.get()) {
      String name = check.name();
      while (components.containsKey(name)) {
        name += "+"; // two plugins chose one name: show both
      }
      components.put(name, ask(check));
    }
    for (HealthCheck.Health health : components.values()) {
      worst = health.status().compareTo(worst) > 0 ? health.status() : worst;
    }
    return new Report(worst, components);
  }

  private HealthCheck.Health kernel() {
    if (!live()) {
      return unhealthy("the housekeeping thread is stuck; the log says where");
    }
    return switch (phase) {
      case STARTING -> unhealthy("starting");
      case RUNNING -> HealthCheck.Health.healthy();
      case DRAINING -> unhealthy("stopping");
    };
  }

  private static HealthCheck.Health ask(HealthCheck check) {
    try {
      return check.check();
    } catch (RuntimeException | LinkageError e) {
      return unhealthy(String.valueOf(e.getMessage()));
    }
  }

  private static HealthCheck.Health unhealthy(String message) {
    return new HealthCheck.Health(HealthCheck.Status.UNHEALTHY, message);
  }

  /// An answer.
  ///
  /// @param status the worst of all
  /// @param components each by its name
  public record Report(HealthCheck.Status status, Map<String, HealthCheck.Health> components) {
    /// Whether clients may be sent here: all started, none unhealthy.
    public boolean ready() {
      return status != HealthCheck.Status.UNHEALTHY;
    }
  }
}
