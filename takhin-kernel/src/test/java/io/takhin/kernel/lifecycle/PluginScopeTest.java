package io.takhin.kernel.lifecycle;

import static org.junit.jupiter.api.Assertions.assertSame;

import io.takhin.api.metrics.Metrics;
import io.takhin.testkit.TestContext;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PluginScopeTest {
  @TempDir Path home;

  /// Found by a stop that took a second more: Ratis' threads have a group of their own, all of
  /// whose threads are waited for, and a worker that one of them had made was in it.
  @Test
  void aWorkerIsInTheKernelsGroupWhoeverMadeIt() throws Exception {
    CompletableFuture<ThreadGroup> of = new CompletableFuture<>();
    try (KernelThreads kernelThreads = new KernelThreads()) {
      PluginScope scope = new PluginScope("fake", home, new NoKernel(), kernelThreads);
      ExecutorService workers = Executors.newCachedThreadPool(scope.threads("reply"));
      Runnable submits =
          () -> workers.execute(() -> of.complete(Thread.currentThread().getThreadGroup()));
      new Thread(new ThreadGroup("library"), submits).start();
      assertSame(Thread.currentThread().getThreadGroup(), of.get(5, TimeUnit.SECONDS));
      workers.shutdown();
      scope.close(5000);
    }
  }

  private static final class NoKernel implements PluginScope.Kernel {
    private final TestContext context = TestContext.simulated().build();

    @Override
    public <T> T service(String askingPlugin, Class<T> type) {
      return context.service(type);
    }

    @Override
    public Map<String, String> configuration() {
      return Map.of();
    }

    @Override
    public void fatal(String plugin, String reason, Throwable cause) {
      throw new AssertionError(reason, cause);
    }

    @Override
    public void defect(String plugin, String where, Throwable thrown) {
      throw new AssertionError(where, thrown);
    }

    @Override
    public Metrics metricsOf(String plugin) {
      return context.metrics();
    }

    @Override
    public void dropMetricsOf(String plugin) {}
  }
}
