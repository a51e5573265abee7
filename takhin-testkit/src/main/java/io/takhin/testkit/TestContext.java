package io.takhin.testkit;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The kernel of a test: services that the test provides, time that it moves or the real one, and
/// everything that a plugin tells the kernel, kept for the test to look at.
///
/// ```java
/// try (var context = TestContext.simulated().service(LogStorage.class, storage).build()) {
///   var service = new MyProvider().create(config, context);
///   service.start();
///   context.time().advance(Duration.ofSeconds(30));
/// }
/// ```
public final class TestContext implements PluginContext, AutoCloseable {
  private final String pluginName;
  private final Path home;
  private final Map<Class<?>, Object> services;
  private final Map<String, String> configuration;
  private final @Nullable TestTime time;
  private final InstantSource clock;
  private final ScheduledExecutorService scheduler;
  private final Executor blocking;
  private final RandomGenerator random;
  private final List<ExecutorService> owned = new CopyOnWriteArrayList<>();
  private final TestMetrics metrics = new TestMetrics();
  private final List<HealthCheck> healthChecks = new CopyOnWriteArrayList<>();
  private final List<Fatal> fatals = new CopyOnWriteArrayList<>();
  private final List<Thread> threads = new CopyOnWriteArrayList<>();
  private final Map<String, AtomicInteger> threadNumbers = new ConcurrentHashMap<>();

  private TestContext(Builder builder) {
    this.pluginName = builder.pluginName;
    this.home = builder.home;
    this.services = new ConcurrentHashMap<>(builder.services);
    this.configuration = Map.copyOf(builder.configuration);
    this.time = builder.time;
    // Equal in every run where time is a test's own; a test with real threads wants no order.
    this.random = builder.time != null ? new Random(1) : new SecureRandom();
    if (builder.time != null) {
      this.clock = builder.time.clock();
      this.scheduler = builder.time.scheduler();
      this.blocking = builder.blocking != null ? builder.blocking : scheduler;
    } else {
      this.clock = InstantSource.system();
      this.scheduler = Executors.newSingleThreadScheduledExecutor(threads("scheduler"));
      this.owned.add(scheduler);
      if (builder.blocking != null) {
        this.blocking = builder.blocking;
      } else {
        ExecutorService pool = Executors.newFixedThreadPool(4, threads("blocking"));
        this.owned.add(pool);
        this.blocking = pool;
      }
    }
  }

  /// A context on the real clocks with real threads; [#close] ends them.
  public static Builder real() {
    return new Builder(null);
  }

  /// A context on a new [TestTime]. Scheduled tasks and those for [#blocking] run on the thread
  /// that moves the time.
  public static Builder simulated() {
    return new Builder(new TestTime());
  }

  /// A context on a time that several contexts share.
  public static Builder simulated(TestTime time) {
    return new Builder(time);
  }

  /// The time to move; IllegalStateException in a context on the real clocks.
  public TestTime time() {
    if (time == null) {
      throw new IllegalStateException("this context runs on the real clocks");
    }
    return time;
  }

  /// Adds or replaces a service after the context was built.
  public <T> void provide(Class<T> type, T service) {
    services.put(type, service);
  }

  /// The checks that the plugin registered, in their order.
  public List<HealthCheck> healthChecks() {
    return List.copyOf(healthChecks);
  }

  /// The calls of [#fatal], in their order.
  public List<Fatal> fatals() {
    return List.copyOf(fatals);
  }

  /// Threads made by [#threads] that still run.
  public List<Thread> liveThreads() {
    return threads.stream().filter(Thread::isAlive).toList();
  }

  @Override
  public String pluginName() {
    return pluginName;
  }

  @Override
  public <T> T service(Class<T> type) {
    Object service = services.get(type);
    if (service == null) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "no plugin provides " + type.getName() + "; this test provides " + services.keySet());
    }
    return type.cast(service);
  }

  @Override
  public InstantSource clock() {
    return clock;
  }

  @Override
  public Map<String, String> configuration() {
    return configuration;
  }

  @Override
  public long nanoTime() {
    return time != null ? time.nanoTime() : System.nanoTime();
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
    return body -> {
      int number =
          threadNumbers.computeIfAbsent(purpose, key -> new AtomicInteger()).incrementAndGet();
      Thread thread = new Thread(body, "takhin-" + pluginName + "-" + purpose + "-" + number);
      thread.setDaemon(true);
      threads.add(thread);
      return thread;
    };
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
    fatals.add(new Fatal(reason, cause));
  }

  @Override
  public Path home() {
    return home;
  }

  /// Ends the threads of the real scheduler and pool; what the plugin made is its own business.
  @Override
  public void close() {
    owned.forEach(ExecutorService::shutdownNow);
  }

  /// A call of [PluginContext#fatal].
  public record Fatal(String reason, Throwable cause) {}

  /// Collects what a context is made of.
  public static final class Builder {
    private final @Nullable TestTime time;
    private final Map<Class<?>, Object> services = new LinkedHashMap<>();
    private String pluginName = "test";
    private Path home = Path.of(System.getProperty("java.io.tmpdir", "."));
    private Map<String, String> configuration = Map.of();
    private @Nullable Executor blocking;

    private Builder(@Nullable TestTime time) {
      this.time = time;
    }

    /// What [PluginContext#configuration] gives; nothing by default.
    public Builder configuration(Map<String, String> values) {
      configuration = values;
      return this;
    }

    /// Provides a service under its type.
    public <T> Builder service(Class<T> type, T service) {
      services.put(type, service);
      return this;
    }

    /// The plugin's name, which its threads carry; `test` otherwise.
    public Builder pluginName(String name) {
      this.pluginName = name;
      return this;
    }

    /// The directory of the distribution; the system's temporary one otherwise.
    public Builder home(Path directory) {
      this.home = directory;
      return this;
    }

    /// Where blocking work runs, such as `Runnable::run` for at once in the caller.
    public Builder blocking(Executor executor) {
      this.blocking = executor;
      return this;
    }

    /// The context.
    public TestContext build() {
      return new TestContext(this);
    }
  }
}
