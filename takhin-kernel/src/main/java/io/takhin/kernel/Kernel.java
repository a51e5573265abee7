package io.takhin.kernel;

import io.takhin.api.HealthCheck;
import io.takhin.api.Provider;
import io.takhin.api.Service;
import io.takhin.api.TakhinException;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.kernel.PluginChoice.Running;
import io.takhin.kernel.config.Config;
import io.takhin.kernel.config.ConfigSchema;
import io.takhin.kernel.config.Problems;
import io.takhin.kernel.health.Health;
import io.takhin.kernel.health.HealthConfig;
import io.takhin.kernel.layer.OpenJars;
import io.takhin.kernel.layer.PluginLayer;
import io.takhin.kernel.layer.Refusal;
import io.takhin.kernel.layer.UnloadProof;
import io.takhin.kernel.lifecycle.ExtensionPoint;
import io.takhin.kernel.lifecycle.KernelThreads;
import io.takhin.kernel.lifecycle.Plugin;
import io.takhin.kernel.lifecycle.Plugin.Part;
import io.takhin.kernel.lifecycle.PluginScope;
import io.takhin.kernel.lifecycle.PluginState;
import io.takhin.kernel.lifecycle.WarmUp;
import io.takhin.kernel.logging.LoggingConfig;
import io.takhin.kernel.metrics.MetricRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Leads the plugins from discovery to the end. The phases are called once each, in this order, on
/// one thread: [#load], [#bind], [#start], [#stop].
final class Kernel implements PluginScope.Kernel {
  private static final Logger log = LoggerFactory.getLogger(Kernel.class);
  private static final long HOUSEKEEPING_MS = 5_000;
  private static final long CLOSE_SCOPE_MS = 5_000;

  private final Path home;
  private final Config config;
  private final Problems problems;
  private final StopSignal stopSignal;
  private final ConfigSchema schema = new ConfigSchema();
  private Map<String, String> configuration = Map.of();
  private final KernelThreads threads = new KernelThreads();
  private final MetricRegistry metrics = new MetricRegistry();
  private final Metrics kernelMetrics = metrics.of("kernel");
  private final PluginCalls calls = new PluginCalls(kernelMetrics);
  private final Services services = new Services();
  private final Health health;
  // Written by the main thread, read by health and metrics.
  private final List<Plugin> plugins = new CopyOnWriteArrayList<>();
  private final List<Refusal> refusals = new CopyOnWriteArrayList<>();
  private final OpenJars jars = new OpenJars();
  // Parts in the order of their creation; the main thread's own.
  private final List<Running> running = new ArrayList<>();
  private @Nullable KernelConfig kernelConfig;

  Kernel(Path home, Config config, Problems problems, StopSignal stopSignal) {
    this.home = home;
    this.config = config;
    this.problems = problems;
    this.stopSignal = stopSignal;
    this.health = new Health(this::checks, System::nanoTime, this::logHung);
  }

  Health health() {
    return health;
  }

  ConfigSchema schema() {
    return schema;
  }

  List<Refusal> refusals() {
    return refusals;
  }

  List<Plugin> plugins() {
    return plugins;
  }

  MetricRegistry metrics() {
    return metrics;
  }

  KernelThreads threads() {
    return threads;
  }

  /// Finds the plugins, builds their layers and learns their keys. Runs no code of a plugin but the
  /// constructors of its providers.
  void load() throws IOException {
    schema.add("kernel", KernelConfig.class);
    schema.add("kernel", LoggingConfig.class);
    schema.add("kernel", HealthConfig.class);
    List<String> directory = config.raw("plugins.dir");
    new PluginDiscovery(calls, schema, plugins, refusals)
        .discover(
            directory == null || directory.isEmpty()
                ? home.resolve("plugins")
                : Path.of(directory.getFirst()),
            jars);
  }

  /// Binds all configs and chooses among implementations. Everything wrong is in the problems.
  void bind() {
    config.checkUnknown(schema);
    kernelConfig = config.bind("the kernel", KernelConfig.class, schema);
    for (Plugin plugin : plugins) {
      for (Part part : plugin.parts()) {
        Record bound = config.bind("plugin " + plugin.name(), part.provider().configType(), schema);
        if (bound != null) {
          part.config(bound);
        }
      }
    }
    configuration = config.effective(schema);
    if (kernelConfig != null) {
      running.addAll(new PluginChoice(plugins, kernelConfig, problems).choose());
    }
  }

  <C extends Record> @Nullable C bindOwn(Class<C> type) {
    return config.bind("the kernel", type, schema);
  }

  /// How long an orderly stop may take.
  Duration shutdownTimeout() {
    return Duration.ofSeconds(kernelConfig == null ? 0 : kernelConfig.shutdownTimeoutSeconds());
  }

  /// Makes all services, then starts them, both in order.
  ///
  /// @throws StartFailure if what is required is not there in the end; everything made is closed
  void start() throws StartFailure {
    KernelConfig wanted = kernelConfig;
    if (wanted == null) {
      throw new IllegalStateException("not bound");
    }
    for (Refusal refusal : refusals) {
      log.error(refusal.line());
    }
    kernelMetrics.gauges("takhin_plugins", "Plugins by their state.", this::countPlugins);
    threads.repeat(this::housekeeping, HOUSEKEEPING_MS);
    WarmUp.begin(running.stream().map(each -> each.part().provider()).toList());
    try {
      checkRequired(wanted);
      for (Running each : List.copyOf(running)) {
        checkStop();
        create(each);
      }
      checkRequired(wanted);
      settle();
      for (Running each : List.copyOf(running)) {
        checkStop();
        begin(each);
      }
      checkRequired(wanted);
      checkStop();
      health.phase(Health.Phase.RUNNING);
    } catch (StartFailure e) {
      stop();
      throw e;
    } finally {
      closeJars();
    }
  }

  /// The plugins' loaders have opened by now what they read.
  private void closeJars() {
    try {
      jars.close();
    } catch (IOException e) {
      log.warn("a plugin's jar could not be closed; it stays open", e);
    }
  }

  private void checkStop() throws StartFailure {
    if (stopSignal.isRequested()) {
      throw new StartFailure("asked to stop before the start was complete");
    }
  }

  private List<String> missing(KernelConfig wanted) {
    return ExtensionPoints.ALL.stream()
        .map(ExtensionPoint::name)
        .filter(wanted.required()::contains)
        .filter(name -> running.stream().noneMatch(each -> each.part().point().name().equals(name)))
        .toList();
  }

  private void checkRequired(KernelConfig wanted) throws StartFailure {
    List<String> missing = missing(wanted);
    if (!missing.isEmpty()) {
      List<String> lines = new ArrayList<>();
      refusals.forEach(refusal -> lines.add(refusal.line()));
      lines.add(
          "no plugin for "
              + String.join(", ", missing)
              + (refusals.isEmpty()
                  ? ": the plugin directory " + pluginsDir(wanted) + " does not have it"
                  : " is left; see above"));
      throw new StartFailure(lines);
    }
  }

  private static Path pluginsDir(KernelConfig wanted) {
    return wanted.pluginsDir().toAbsolutePath().normalize();
  }

  private void create(Running each) throws StartFailure {
    if (!running.contains(each)) {
      return; // another part of the same plugin failed
    }
    Plugin plugin = each.plugin();
    Part part = each.part();
    try {
      calls.in(
          plugin,
          "create",
          () -> {
            PluginScope scope = plugin.scope();
            if (scope == null) {
              scope = new PluginScope(plugin.name(), home, this, threads);
              plugin.scope(scope);
            }
            Record bound = part.config();
            if (bound == null) {
              throw new IllegalStateException("not bound");
            }
            Service made = make(part.provider(), bound, scope);
            part.service(made);
            services.publish(part.point(), plugin.name(), made);
          });
    } catch (Exception | LinkageError | AssertionError e) {
      fail(plugin, "create", e);
    }
  }

  private static <C extends Record, S extends Service> S make(
      Provider<C, S> provider, Record config, PluginScope scope) {
    return provider.create(provider.configType().cast(config), scope);
  }

  /// Moves plugins on whose parts are all made, and closes those of which none is wanted.
  private void settle() {
    for (Plugin plugin : plugins) {
      if (plugin.state() instanceof PluginState.Resolved resolved) {
        if (running.stream().anyMatch(each -> each.plugin() == plugin)) {
          plugin.state(resolved.created(), "all its services are made");
        } else {
          plugin.state(resolved.closed(), "not wanted");
        }
      }
    }
  }

  private void begin(Running each) throws StartFailure {
    Service service = each.part().service();
    if (!running.contains(each) || service == null) {
      return;
    }
    Plugin plugin = each.plugin();
    long startNanos = System.nanoTime();
    try {
      calls.in(plugin, "start", service::start);
      each.part().markStarted();
    } catch (Exception | LinkageError | AssertionError e) {
      fail(plugin, "start", e);
      return;
    }
    boolean all =
        running.stream()
            .filter(other -> other.plugin() == plugin)
            .allMatch(other -> other.part().started());
    if (all && plugin.state() instanceof PluginState.Created created) {
      plugin.state(created.started(), "all its services work");
    }
    log.info(
        "plugin {} {}: {} '{}' started in {} ms{}",
        plugin.name(),
        plugin.descriptor().version(),
        each.part().point().name(),
        each.part().provider().name(),
        (System.nanoTime() - startNanos) / 1_000_000,
        service instanceof ProtocolServer server ? ", listening on " + server.addresses() : "");
  }

  /// A plugin threw: closes all that it has, and goes on without it if that is possible.
  private void fail(Plugin plugin, String phase, Throwable thrown) throws StartFailure {
    String reason =
        thrown instanceof TakhinException
            ? String.valueOf(thrown.getMessage())
            : "its " + phase + " threw " + thrown;
    String remedy = thrown instanceof TakhinException ? "" : PluginLayer.remedyFor(thrown);
    Refusal refusal = new Refusal(plugin.name(), plugin.location(), reason, remedy);
    refusals.add(refusal);
    if (thrown instanceof TakhinException) {
      log.error(refusal.line());
      log.debug("plugin {}: {} failed", plugin.name(), phase, thrown);
    } else {
      log.error(refusal.line(), thrown);
    }
    calls.countDefect(plugin.name());
    List<Running> its = running.stream().filter(each -> each.plugin() == plugin).toList();
    its.reversed().forEach(each -> closeService(plugin, each.part()));
    running.removeAll(its);
    retire(plugin);
    PluginState.Failed failed =
        switch (plugin.state()) {
          case PluginState.Resolved resolved -> resolved.failed(thrown);
          case PluginState.Created created -> created.failed(thrown);
          case PluginState other ->
              throw new IllegalStateException("failed in state " + other.label(), thrown);
        };
    plugin.state(failed, reason);
    plugin.forget();
    KernelConfig wanted = kernelConfig;
    if (wanted != null && !missing(wanted).isEmpty()) {
      throw new StartFailure(refusal.line()); // the one reason; others would fail for want of it
    }
  }

  /// Drains, then closes everything in reverse order. Safe to call at any point of a start.
  void stop() {
    health.phase(Health.Phase.DRAINING);
    for (Running each : running.reversed()) {
      Service service = each.part().service();
      if (service != null && each.part().started()) {
        if (each.plugin().state() instanceof PluginState.Started started) {
          each.plugin().state(started.draining(), "the kernel stops");
        }
        calls.guarded(each.plugin(), "drain", service::drain);
      }
    }
    for (Running each : running.reversed()) {
      closeService(each.plugin(), each.part());
    }
    running.clear();
    for (Plugin plugin : plugins) {
      retire(plugin);
      closed(plugin, "the kernel stops");
    }
    threads.close();
  }

  private static void closed(Plugin plugin, String reason) {
    switch (plugin.state()) {
      case PluginState.Resolved resolved -> plugin.state(resolved.closed(), reason);
      case PluginState.Created created -> plugin.state(created.closed(), reason);
      case PluginState.Started started -> plugin.state(started.draining().closed(), reason);
      case PluginState.Draining draining -> plugin.state(draining.closed(), reason);
      case PluginState.Discovered _,
          PluginState.Closed _,
          PluginState.Failed _,
          PluginState.Unloaded _ -> {}
    }
  }

  /// Takes one plugin out of the running process and proves that its classes are gone.
  ///
  /// @return whether they are
  /// @throws IllegalArgumentException if it is not there, or others depend on it
  boolean unload(String name, long timeoutMs) throws InterruptedException {
    UnloadProof proof = closeForUnload(name);
    boolean gone = proof.await(timeoutMs);
    if (gone) {
      log.info(proof.verdict(true));
    } else {
      log.warn(proof.verdict(false));
    }
    for (Plugin plugin : plugins) {
      if (gone && plugin.name().equals(name) && plugin.state() instanceof PluginState.Closed it) {
        plugin.state(it.unloaded(), "its classes are gone");
      }
    }
    return gone;
  }

  // On its own, so that no local variable of the caller holds anything of the plugin.
  private UnloadProof closeForUnload(String name) {
    Plugin plugin =
        plugins.stream()
            .filter(each -> each.name().equals(name) && each.state() instanceof PluginState.Started)
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no plugin " + name + " is running"));
    if (plugin.parts().stream().anyMatch(part -> part.point().one())) {
      throw new IllegalArgumentException("plugin " + name + " is needed by others: stop instead");
    }
    List<Running> its = running.stream().filter(each -> each.plugin() == plugin).toList();
    for (Running each : its.reversed()) {
      Service service = each.part().service();
      if (service != null) {
        calls.guarded(plugin, "drain", service::drain);
      }
      closeService(plugin, each.part());
    }
    running.removeAll(its);
    retire(plugin);
    closed(plugin, "unloaded");
    UnloadProof proof = new UnloadProof(name, plugin.layer());
    plugin.forget();
    return proof;
  }

  private void closeService(Plugin plugin, Part part) {
    Service service = part.service();
    if (service != null) {
      calls.guarded(plugin, "close", service::close);
    }
  }

  private void retire(Plugin plugin) {
    services.withdraw(plugin.name());
    PluginScope scope = plugin.scope();
    if (scope != null) {
      scope.close(CLOSE_SCOPE_MS);
    }
  }

  private void housekeeping() {
    health.beat();
    calls.watch();
  }

  private void logHung() {
    StringBuilder stack = new StringBuilder();
    for (StackTraceElement frame : threads.schedulerStack()) {
      stack.append("\n    at ").append(frame);
    }
    log.error("the housekeeping thread is stuck; some plugin's task blocks it:{}", stack);
  }

  private void countPlugins(Metrics.GaugeSink sink) {
    Map<String, Integer> byState = new HashMap<>();
    plugins.forEach(plugin -> byState.merge(plugin.state().label(), 1, Integer::sum));
    byState.forEach((state, count) -> sink.value(count, "state", state));
  }

  private List<HealthCheck> checks() {
    List<HealthCheck> checks = new ArrayList<>();
    for (Plugin plugin : plugins) {
      PluginScope scope = plugin.scope();
      if (scope != null) {
        checks.addAll(scope.checks());
      }
    }
    for (Refusal refusal : refusals) {
      checks.add(new RefusedCheck(refusal));
    }
    return checks;
  }

  /// A plugin that does not run makes the whole degraded, for as long as the rest serves.
  private record RefusedCheck(Refusal refusal) implements HealthCheck {
    @Override
    public String name() {
      return "plugin " + refusal.plugin();
    }

    @Override
    public HealthCheck.Health check() {
      return new HealthCheck.Health(Status.DEGRADED, refusal.line());
    }
  }

  /// The servers that are there, for the line that says ready.
  List<ProtocolServer> servers() {
    return services.all(ProtocolServer.class);
  }

  @Override
  public <T> T service(String askingPlugin, Class<T> type) {
    return services.one(askingPlugin, type);
  }

  @Override
  public Map<String, String> configuration() {
    return configuration;
  }

  @Override
  public void fatal(String plugin, String reason, Throwable cause) {
    log.error("plugin {} cannot go on: {}", plugin, reason, cause);
    stopSignal.request("plugin " + plugin + " cannot go on: " + reason, 1);
  }

  @Override
  public void defect(String plugin, String where, Throwable thrown) {
    calls.defect(plugin, where, thrown);
  }

  @Override
  public Metrics metricsOf(String plugin) {
    return metrics.of(plugin);
  }

  @Override
  public void dropMetricsOf(String plugin) {
    metrics.drop(plugin);
  }
}
