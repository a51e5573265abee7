package io.takhin.kernel;

import io.takhin.api.HealthCheck;
import io.takhin.api.Provider;
import io.takhin.api.Service;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.ClusterProvider;
import io.takhin.api.codec.CodecProvider;
import io.takhin.api.codec.Codecs;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinatorProvider;
import io.takhin.api.metrics.Metrics;
import io.takhin.api.metrics.MetricsProvider;
import io.takhin.api.partition.BrokerProvider;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.protocol.ProtocolProvider;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.StorageProvider;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinatorProvider;
import io.takhin.kernel.config.Config;
import io.takhin.kernel.config.ConfigSchema;
import io.takhin.kernel.config.Problems;
import io.takhin.kernel.health.Health;
import io.takhin.kernel.health.HealthConfig;
import io.takhin.kernel.layer.PluginDirectory;
import io.takhin.kernel.layer.PluginLayer;
import io.takhin.kernel.layer.Refusal;
import io.takhin.kernel.layer.RefusedException;
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
import java.util.ServiceLoader;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Leads the plugins from discovery to the end. The phases are called once each, in this order, on
/// one thread: [#load], [#bind], [#start], [#stop].
final class Kernel implements PluginScope.Kernel {
  private static final Logger log = LoggerFactory.getLogger(Kernel.class);
  private static final long SLOW_MS = 1_000;
  private static final long CLOSE_SCOPE_MS = 5_000;

  /// The extension points in the order in which data flows inwards: what comes later may ask for
  /// the services of what comes earlier.
  static final List<ExtensionPoint<?>> POINTS =
      List.of(
          new ExtensionPoint<>("codec", CodecProvider.class, Codecs.class, true),
          new ExtensionPoint<>("storage", StorageProvider.class, LogStorage.class, true),
          new ExtensionPoint<>("cluster", ClusterProvider.class, Cluster.class, true),
          new ExtensionPoint<>("broker", BrokerProvider.class, PartitionService.class, true),
          new ExtensionPoint<>(
              "coordinator", GroupCoordinatorProvider.class, GroupCoordinator.class, true),
          new ExtensionPoint<>(
              "transactions",
              TransactionCoordinatorProvider.class,
              TransactionCoordinator.class,
              true),
          new ExtensionPoint<>("protocol", ProtocolProvider.class, ProtocolServer.class, false),
          new ExtensionPoint<>("metrics", MetricsProvider.class, Service.class, false));

  private final Path home;
  private final Config config;
  private final Problems problems;
  private final StopSignal stopSignal;
  private final ConfigSchema schema = new ConfigSchema();
  private Map<String, String> configuration = Map.of();
  private final KernelThreads threads = new KernelThreads();
  private final MetricRegistry metrics = new MetricRegistry();
  private final Metrics kernelMetrics = metrics.of("kernel");
  private final Services services = new Services();
  private final Health health;
  // Written by the main thread, read by health and metrics.
  private final List<Plugin> plugins = new CopyOnWriteArrayList<>();
  private final List<Refusal> refusals = new CopyOnWriteArrayList<>();
  // Parts in the order of their creation; the main thread's own.
  private final List<Running> running = new ArrayList<>();
  private @Nullable KernelConfig kernelConfig;
  // Written by the main thread, read by the housekeeping thread.
  private volatile @Nullable Call current;

  private record Running(Plugin plugin, Part part) {}

  private record Call(String plugin, String what, long sinceNanos) {}

  private interface Body {
    void run();
  }

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
    PluginDirectory.Found found =
        PluginDirectory.load(
            directory == null || directory.isEmpty()
                ? home.resolve("plugins")
                : Path.of(directory.getFirst()));
    refusals.addAll(found.refusals());
    Map<String, String> providerNames = new HashMap<>();
    for (PluginDirectory.Loaded loaded : found.plugins()) {
      Plugin plugin = new Plugin(loaded);
      try {
        callIn(plugin, "find its providers", () -> resolve(plugin, providerNames));
        plugin.state(new PluginState.Discovered().resolved(), "its providers are known");
        plugins.add(plugin);
      } catch (RefusedException e) {
        refuse(plugin, new PluginState.Discovered().failed(e), e);
      }
    }
  }

  private interface Resolving {
    void run() throws RefusedException;
  }

  private void callIn(Plugin plugin, String what, Resolving body) throws RefusedException {
    RefusedException[] refused = new RefusedException[1];
    try {
      inPlugin(
          plugin,
          what,
          () -> {
            try {
              body.run();
            } catch (RefusedException e) {
              refused[0] = e;
            }
          });
    } catch (RuntimeException | LinkageError e) {
      throw new RefusedException(
          "it threw while its providers were asked: " + e, PluginLayer.remedyFor(e), e);
    }
    if (refused[0] != null) {
      throw refused[0];
    }
  }

  private void resolve(Plugin plugin, Map<String, String> providerNames) throws RefusedException {
    PluginLayer layer = plugin.layer();
    for (ExtensionPoint<?> point : POINTS) {
      ServiceLoader<?> loader = ServiceLoader.load(layer.layer(), point.providerType());
      for (Provider<?, ?> provider : layer.own(loader)) {
        String other =
            providerNames.putIfAbsent(point.name() + " " + provider.name(), plugin.name());
        if (other != null) {
          throw new RefusedException(
              "its "
                  + point.name()
                  + " provider is named '"
                  + provider.name()
                  + "', as that of "
                  + other,
              "Remove one of the two plugins");
        }
        plugin.addPart(point, provider);
      }
    }
    if (plugin.parts().isEmpty()) {
      throw new RefusedException(
          "it provides nothing that this kernel knows",
          "Its module-info needs 'provides ... with ...' for one of "
              + POINTS.stream().map(point -> point.providerType().getSimpleName()).toList());
    }
    for (Part part : plugin.parts()) {
      Class<? extends Record> type = part.provider().configType();
      layer.openToKernel(type);
      try {
        schema.add(plugin.name(), type);
      } catch (IllegalArgumentException e) {
        throw new RefusedException(
            String.valueOf(e.getMessage()), "This is a defect of the plugin's config record", e);
      }
    }
  }

  private void refuse(Plugin plugin, PluginState.Failed state, RefusedException e) {
    plugin.state(state, e.reason());
    refusals.add(new Refusal(plugin.name(), plugin.location(), e.reason(), e.remedy()));
    plugin.forget();
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
      choose(kernelConfig);
    }
  }

  <C extends Record> @Nullable C bindOwn(Class<C> type) {
    return config.bind("the kernel", type, schema);
  }

  /// How long an orderly stop may take.
  Duration shutdownTimeout() {
    return Duration.ofSeconds(kernelConfig == null ? 0 : kernelConfig.shutdownTimeoutSeconds());
  }

  /// The parts that will run, in the order of the extension points.
  private void choose(KernelConfig wanted) {
    for (String name : wanted.disabled()) {
      if (plugins.stream().noneMatch(plugin -> plugin.name().equals(name))) {
        problems.add("plugins.disabled: no plugin present is named " + name);
      }
    }
    for (ExtensionPoint<?> point : POINTS) {
      List<Running> candidates = new ArrayList<>();
      for (Plugin plugin : plugins) {
        if (!wanted.disabled().contains(plugin.name())) {
          plugin.parts().stream()
              .filter(part -> part.point() == point)
              .forEach(part -> candidates.add(new Running(plugin, part)));
        }
      }
      running.addAll(point.one() ? chooseOne(point, candidates, wanted) : candidates);
    }
  }

  private List<Running> chooseOne(
      ExtensionPoint<?> point, List<Running> candidates, KernelConfig wanted) {
    List<String> names =
        candidates.stream().map(candidate -> candidate.part().provider().name()).toList();
    String choice = wanted.choice(point.name());
    if (!choice.isEmpty()) {
      List<Running> chosen =
          candidates.stream()
              .filter(candidate -> candidate.part().provider().name().equals(choice))
              .toList();
      if (chosen.isEmpty()) {
        problems.add(
            point.choiceKey() + ": no plugin present provides '" + choice + "'; present: " + names);
      }
      return chosen;
    }
    if (candidates.size() > 1) {
      problems.add(point.choiceKey() + " must choose, because several are present: " + names);
      return List.of();
    }
    return candidates;
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
    threads.repeat(this::housekeeping, SLOW_MS);
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
    }
  }

  private void checkStop() throws StartFailure {
    if (stopSignal.isRequested()) {
      throw new StartFailure("asked to stop before the start was complete");
    }
  }

  private List<String> missing(KernelConfig wanted) {
    return POINTS.stream()
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
      inPlugin(
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
      inPlugin(plugin, "start", service::start);
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
    countDefect(plugin.name());
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
        guarded(each.plugin(), "drain", service::drain);
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
        guarded(plugin, "drain", service::drain);
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
      guarded(plugin, "close", service::close);
    }
  }

  private void retire(Plugin plugin) {
    services.withdraw(plugin.name());
    PluginScope scope = plugin.scope();
    if (scope != null) {
      scope.close(CLOSE_SCOPE_MS);
    }
  }

  private void guarded(Plugin plugin, String what, Body body) {
    try {
      inPlugin(plugin, what, body);
    } catch (Exception | LinkageError | AssertionError e) {
      defect(plugin.name(), what, e);
    }
  }

  /// Calls a plugin with its loader as the thread's, and notes who takes long.
  private void inPlugin(Plugin plugin, String what, Body body) {
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

  private void housekeeping() {
    health.beat();
    Call call = current;
    if (call != null) {
      long seconds = (System.nanoTime() - call.sinceNanos()) / 1_000_000_000;
      if (seconds >= 5 && seconds % 5 == 0) {
        log.warn("plugin {}: {} has been running for {} s", call.plugin(), call.what(), seconds);
      }
    }
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
    log.error("plugin {}: {} threw; this is a defect of the plugin", plugin, where, thrown);
    countDefect(plugin);
  }

  private void countDefect(String plugin) {
    kernelMetrics
        .counter(
            "takhin_plugin_failures_total", "Exceptions that a plugin let out.", "plugin", plugin)
        .increment();
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
