package io.takhin.api;

import io.takhin.api.metrics.Metrics;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.random.RandomGenerator;

/// The kernel, as one plugin sees it. Threads, clocks and scheduling come from here, so that
/// ownership of every thread is known and the simulator can stand in for all of them.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface PluginContext {
  /// The plugin's name, as its descriptor says.
  String pluginName();

  /// The service of another plugin, by its type in this API. All services are made before the
  /// first starts: those of plugins that come earlier may be asked for at once, those that come
  /// later from [Service#start] on, such as the transaction coordinator by the partitions; they are
  /// not to be used before their own start.
  ///
  /// Errors: [TakhinException] that names the type and the plugins present, if nobody provides it.
  <T> T service(Class<T> type);

  /// The value in force of every key of the configuration, by dotted key, as text: for those who
  /// show it (DescribeConfigs, the debug bundle). Secrets are left out. A plugin's own settings
  /// come in its config record.
  Map<String, String> configuration();

  /// Wall-clock time: record timestamps, retention. It may jump.
  InstantSource clock();

  /// Monotonic time in nanoseconds, as [System#nanoTime]: sessions, timeouts, durations. It never
  /// jumps and never goes back.
  long nanoTime();

  /// Random numbers that nobody can guess: ids, jitter. In a simulation they follow from its seed.
  /// Threading: any thread.
  RandomGenerator random();

  /// One housekeeping thread for short periodic work, shared by all plugins. Tasks must not block
  /// for longer than a few milliseconds; an exception in a periodic task is logged and the task
  /// goes on. Cancelled for the plugin when it closes.
  ScheduledExecutorService scheduler();

  /// Workers for what blocks: cold reads, fsync, DNS. A small fixed number of platform threads.
  Executor blocking();

  /// Makes threads that carry the plugin's name: `takhin-<plugin>-<purpose>-<n>`. The kernel knows
  /// them, and names them when they keep an unloaded layer alive.
  ThreadFactory threads(String purpose);

  /// Where the plugin registers what it counts.
  Metrics metrics();

  /// Registers a check that `/health` and `/health/ready` ask. Removed when the plugin closes.
  void health(HealthCheck check);

  /// Asks the kernel to stop the process in an orderly way, because the plugin cannot go on.
  void fatal(String reason, Throwable cause);

  /// The directory from which the distribution runs.
  Path home();
}
