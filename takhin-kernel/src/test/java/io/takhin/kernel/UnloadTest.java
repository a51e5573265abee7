package io.takhin.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.kernel.layer.OpenJars;
import io.takhin.kernel.layer.PluginDirectory;
import io.takhin.kernel.layer.UnloadProof;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Unloading is proved, not hoped for.
class UnloadTest {
  private static final long TIMEOUT_MS = 10_000;

  @TempDir Path home;

  private PluginJars.Source greedy() {
    // Takes one of everything that the kernel gives, and gives nothing back itself.
    return PluginJars.metricsPlugin(
        "greedy",
        "",
        """
        return new Service() {
          public void start() {
            context.scheduler().scheduleAtFixedRate(
                () -> {}, 1, 1, java.util.concurrent.TimeUnit.MILLISECONDS);
            context.scheduler().schedule(
                () -> {}, 1, java.util.concurrent.TimeUnit.DAYS);
            context.metrics().counter("greedy_total", "G.").increment();
            context.metrics().gauges("greedy", "G.", sink -> sink.value(1));
            context.blocking().execute(() -> {});
            context.threads("once").newThread(() -> {}).start();
            context.health(new HealthCheck() {
              public String name() { return "greedy"; }
              public Health check() { return Health.healthy(); }
            });
            System.setProperty("test.greedy", "started");
          }
          public void close() { System.clearProperty("test.greedy"); }
        };
        """,
        "");
  }

  @Test
  void aPluginIsGoneWithAllThatItTookFromTheKernel()
      throws IOException, StartFailure, InterruptedException {
    new PluginJars(home.resolve("work")).jar(home.resolve("plugins/greedy.jar"), greedy());
    try (TestKernel test = TestKernel.started(home)) {
      assertEquals("started", System.getProperty("test.greedy"));
      assertEquals("Started", test.state("greedy"));
      assertTrue(test.kernel.unload("greedy", TIMEOUT_MS));
      assertEquals("Unloaded", test.state("greedy"));
      assertNull(System.getProperty("test.greedy"));
      assertFalse(test.kernel.health().report().components().containsKey("greedy"));
      assertThrows(IllegalArgumentException.class, () -> test.kernel.unload("greedy", TIMEOUT_MS));
    }
  }

  @Test
  void aThreadThatKeepsThePluginAliveIsNamed()
      throws IOException, StartFailure, InterruptedException {
    PluginJars.Source leaking =
        PluginJars.metricsPlugin(
            "leaking",
            "",
            """
            return new Service() {
              public void start() {
                Thread thread = new Thread(
                    () -> {
                      while (System.getProperty("test.leak.end") == null) {
                        java.util.concurrent.locks.LockSupport.parkNanos(1_000_000);
                      }
                    },
                    "the-forgotten-one");
                thread.setDaemon(true);
                thread.start();
              }
              public void close() {}
            };
            """,
            "");
    new PluginJars(home.resolve("work")).jar(home.resolve("plugins/leaking.jar"), leaking);
    try (TestKernel test = TestKernel.started(home)) {
      UnloadProof proof = new UnloadProof("leaking", test.kernel.plugins().getFirst().layer());
      assertFalse(test.kernel.unload("leaking", 50));
      assertEquals("Closed", test.state("leaking"));
      assertTrue(proof.verdict(false).contains("the-forgotten-one"), proof.verdict(false));
      System.setProperty("test.leak.end", "yes");
      assertTrue(proof.await(TIMEOUT_MS));
      assertTrue(proof.holders().isEmpty());
    } finally {
      System.clearProperty("test.leak.end");
    }
  }

  @Test
  void metaspaceStaysFlatOverManyLoadsAndUnloads()
      throws IOException, StartFailure, InterruptedException {
    new PluginJars(home.resolve("work")).jar(home.resolve("plugins/greedy.jar"), greedy());
    long loadedBefore = 0;
    long metaspaceBefore = 0;
    for (int cycle = 0; cycle < 36; cycle++) {
      if (cycle == 12) { // the kernel's own classes are loaded by now
        loadedBefore = ManagementFactory.getClassLoadingMXBean().getLoadedClassCount();
        metaspaceBefore = metaspaceBytes();
      }
      try (TestKernel test = TestKernel.started(home)) {
        assertTrue(test.kernel.unload("greedy", TIMEOUT_MS), "cycle " + cycle);
      }
    }
    long loaded = ManagementFactory.getClassLoadingMXBean().getLoadedClassCount() - loadedBefore;
    long grownBytes = metaspaceBytes() - metaspaceBefore;
    // One plugin is some ten classes and 40 KiB: twenty-four that stayed would be far above this.
    assertTrue(loaded < 100, loaded + " more classes than before");
    assertTrue(grownBytes < 400_000, grownBytes + " more bytes of metaspace than before");
  }

  @Test
  void aLayerThatOnlyStoodAndWasNeverUsedGoesToo() throws IOException, InterruptedException {
    new PluginJars(home.resolve("work")).jar(home.resolve("plugins/greedy.jar"), greedy());
    assertTrue(proofOfUnused().await(TIMEOUT_MS));
  }

  private UnloadProof proofOfUnused() throws IOException {
    var loaded = PluginDirectory.load(home.resolve("plugins"), new OpenJars()).plugins().getFirst();
    return new UnloadProof("greedy", loaded.layer());
  }

  private static long metaspaceBytes() {
    return ManagementFactory.getMemoryPoolMXBeans().stream()
        .filter(pool -> pool.getName().equals("Metaspace"))
        .mapToLong(UnloadTest::used)
        .sum();
  }

  private static long used(MemoryPoolMXBean pool) {
    return pool.getUsage().getUsed();
  }
}
