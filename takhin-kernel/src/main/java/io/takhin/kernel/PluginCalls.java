package io.takhin.kernel;

import io.takhin.api.metrics.Metrics;
import io.takhin.kernel.lifecycle.Plugin;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Calls into plugins: with the plugin's loader as the thread's, with an eye on who takes long, and
/// with a count of what they throw.
///
/// Threads: the main thread calls, one plugin at a time; the housekeeping thread watches.
final class PluginCalls {
  private static final Logger log = LoggerFactory.getLogger(PluginCalls.class);
  private static final long SLOW_MS = 1_000;

  /// What a plugin is called for.
  interface Body {
    /// Does it.
    void run();
  }

  private record Call(String plugin, String what, long sinceNanos) {}

  private final Metrics metrics;
  // Written by the main thread, read by the housekeeping thread.
  private volatile @Nullable Call current;

  PluginCalls(Metrics metrics) {
    this.metrics = metrics;
  }

  /// Calls a plugin. What it throws is the caller's.
  void in(Plugin plugin, String what, Body body) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    long startNanos = System.nanoTime();
    current = new Call(plugin.name(), what, startNanos);
    thread.setContextClassLoader(plugin.layer().loader());
    try {
      body.run();
    } finally {
      thread.setContextClassLoader(before);
      current = null;
      long tookMs = (System.nanoTime() - startNanos) / 1_000_000;
      if (tookMs > SLOW_MS) {
        log.warn("plugin {}: {} took {} ms", plugin.name(), what, tookMs);
      }
    }
  }

  /// Calls a plugin for something that must go on whatever it throws.
  void guarded(Plugin plugin, String what, Body body) {
    try {
      in(plugin, what, body);
    } catch (Exception | LinkageError | AssertionError e) {
      defect(plugin.name(), what, e);
    }
  }

  /// A plugin threw what it should not.
  void defect(String plugin, String where, Throwable thrown) {
    log.error("plugin {}: {} threw; this is a defect of the plugin", plugin, where, thrown);
    countDefect(plugin);
  }

  /// Counts an exception that a plugin let out.
  void countDefect(String plugin) {
    metrics
        .counter(
            "takhin_plugin_failures_total", "Exceptions that a plugin let out.", "plugin", plugin)
        .increment();
  }

  /// Warns of a call that does not come back. About every five seconds.
  void watch() {
    Call call = current;
    if (call != null) {
      long seconds = (System.nanoTime() - call.sinceNanos()) / 1_000_000_000;
      if (seconds >= 5) {
        log.warn("plugin {}: {} has been running for {} s", call.plugin(), call.what(), seconds);
      }
    }
  }
}
