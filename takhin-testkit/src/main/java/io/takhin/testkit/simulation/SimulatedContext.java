package io.takhin.testkit.simulation;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.testkit.TestMetrics;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.random.RandomGenerator;

/// The kernel of a simulated broker: one housekeeping thread, a few workers, threads and clocks,
/// all of them the simulation's.
///
/// Threading: the simulation's.
public final class SimulatedContext implements PluginContext {
  private static final int WORKERS = 4;

  private final Simulation simulation;
  private final SimulatedProcess process;
  private final Map<Class<?>, Object> services = new LinkedHashMap<>();
  private final List<HealthCheck> healthChecks = new ArrayList<>();
  private final TestMetrics metrics = new TestMetrics();
  private final RandomGenerator random;
  private final Workers blocking;
  private final ScheduledExecutorService scheduler;
  private int threads;

  /// The kernel in a process.
  public SimulatedContext(Simulation simulation, SimulatedProcess process) {
    this.simulation = simulation;
    this.process = process;
    this.random = new Random(simulation.random().nextLong());
    this.blocking = new Workers("worker", WORKERS);
    this.scheduler = new SimulatedScheduler(simulation, process, new Workers("scheduler", 1));
  }

  /// Adds a service.
  public <T> void provide(Class<T> type, T service) {
    services.put(type, service);
  }

  /// What the plugins registered.
  public List<HealthCheck> healthChecks() {
    return List.copyOf(healthChecks);
  }

  @Override
  public String pluginName() {
    return "simulated";
  }

  @Override
  public <T> T service(Class<T> type) {
    Object service = services.get(type);
    if (service == null) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR, "the simulation has no " + type.getName());
    }
    return type.cast(service);
  }

  @Override
  public Map<String, String> configuration() {
    return Map.of();
  }

  @Override
  public InstantSource clock() {
    return simulation.clock();
  }

  @Override
  public long nanoTime() {
    return simulation.nanoTime();
  }

  @Override
  public RandomGenerator random() {
    return random;
  }

  @Override
  public ScheduledExecutorService scheduler() {
    return scheduler;
  }

  @Override
  public Executor blocking() {
    return blocking;
  }

  @Override
  public ThreadFactory threads(String purpose) {
    return body -> simulation.thread(process, purpose + "-" + ++threads, body);
  }

  @Override
  public TestMetrics metrics() {
    return metrics;
  }

  @Override
  public void health(HealthCheck check) {
    healthChecks.add(check);
  }

  @Override
  public void fatal(String reason, Throwable cause) {
    simulation.fail(new AssertionError("a plugin gave up: " + reason, cause));
  }

  @Override
  public Path home() {
    return Path.of("/simulated");
  }

  /// So many threads at a time; what does not fit waits.
  private final class Workers implements Executor {
    private final String name;
    private final int most;
    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private int running;
    private int started;

    Workers(String name, int most) {
      this.name = name;
      this.most = most;
    }

    @Override
    public void execute(Runnable task) {
      if (!process.alive()) {
        throw new RejectedExecutionException(process.name() + " is dead");
      }
      waiting.add(task);
      if (running < most) {
        running++;
        simulation.start(process, name + "-" + ++started, this::work);
      }
    }

    private void work() {
      for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
        task.run();
      }
      running--;
    }
  }
}
