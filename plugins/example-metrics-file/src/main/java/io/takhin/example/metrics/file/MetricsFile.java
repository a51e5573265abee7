package io.takhin.example.metrics.file;

import io.takhin.api.ErrorCode;
import io.takhin.api.HealthCheck;
import io.takhin.api.PluginContext;
import io.takhin.api.Service;
import io.takhin.api.TakhinException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/// Writes the file at start and then at each interval, as a whole and by rename, so that a reader
/// never sees half of it.
final class MetricsFile implements Service, HealthCheck {
  private final MetricsFileConfig config;
  private final PluginContext context;
  private final AtomicBoolean writing = new AtomicBoolean();
  // Written by the worker that writes, read by the health server.
  private volatile Health health = Health.healthy();
  // Written by the main thread, read by the worker.
  private volatile boolean closed;

  MetricsFile(MetricsFileConfig config, PluginContext context) {
    this.config = config;
    this.context = context;
  }

  @Override
  public void start() {
    try {
      write();
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "metrics cannot be written to "
              + config.path()
              + " ("
              + e
              + "): set example.metrics.file.path to a file in a directory that exists and that"
              + " this user may write",
          e);
    }
    context.health(this);
    context
        .scheduler()
        .scheduleAtFixedRate(
            this::wake, config.intervalSeconds(), config.intervalSeconds(), TimeUnit.SECONDS);
  }

  @Override
  public String name() {
    return "metrics-file";
  }

  @Override
  public Health check() {
    return health;
  }

  @Override
  public void close() {
    closed = true; // the kernel cancels the task and waits for a write in flight
  }

  /// On the housekeeping thread: must not block, so the write goes to a worker. A write that takes
  /// longer than an interval is not joined by a second one.
  private void wake() {
    if (!closed && writing.compareAndSet(false, true)) {
      context.blocking().execute(this::writeOrReport);
    }
  }

  private void writeOrReport() {
    try {
      write();
      health = Health.healthy();
    } catch (IOException e) {
      health = new Health(Status.DEGRADED, "cannot write " + config.path() + ": " + e);
    } finally {
      writing.set(false);
    }
  }

  private void write() throws IOException {
    GraphiteText text = new GraphiteText(context.clock().instant().getEpochSecond());
    context.metrics().visit(text);
    Path file = config.path();
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(fresh, text.text(), StandardCharsets.UTF_8);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
