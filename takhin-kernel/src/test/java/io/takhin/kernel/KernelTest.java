package io.takhin.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.kernel.layer.Refusal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelTest {
  @TempDir Path home;

  private PluginJars jars;

  @BeforeEach
  void prepare() {
    jars = new PluginJars(home.resolve("work"));
    System.setProperty("test.journal", "");
  }

  /// A plugin for `protocol` and one for `metrics` whose calls are written to a journal.
  private static String journal(String name) {
    return """
        String n = "%s";
        note(n, "create");
        return new Service() {
          public void start() { note(n, "start"); }
          public void drain() { note(n, "drain"); }
          public void close() { note(n, "close"); }
        };
        }
        static void note(String n, String what) {
          System.setProperty("test.journal",
              System.getProperty("test.journal") + n + " " + what + ",");
        """
        .formatted(name);
  }

  private static String journal() {
    return System.getProperty("test.journal", "");
  }

  private PluginJars.Source codec(String plugin, String provider) {
    String module = "test." + plugin.replace('-', '_');
    return new PluginJars.Source()
        .named(plugin)
        .file(
            "module-info.java",
            "module "
                + module
                + " { requires io.takhin.api; provides io.takhin.api.codec.CodecProvider with "
                + module
                + ".P; }")
        .file(
            module.replace('.', '/') + "/P.java",
            """
            package %s;
            import io.takhin.api.*;
            import io.takhin.api.codec.*;
            import java.nio.ByteBuffer;
            public final class P implements CodecProvider<P.None> {
              record None() {}
              public String name() { return "%s"; }
              public Class<None> configType() { return None.class; }
              public Codecs create(None config, PluginContext context) {
                return new Codecs() {
                  public ByteBuffer compress(CompressionType type, ByteBuffer records) {
                    return records;
                  }
                  public ByteBuffer decompress(CompressionType type, ByteBuffer c, int max) {
                    return c;
                  }
                  public void close() {
                    System.setProperty("test.journal",
                        System.getProperty("test.journal") + "codec close,");
                  }
                };
              }
            }
            """
                .formatted(module, provider));
  }

  @Test
  void allAreMadeBeforeAnyStartsAndStopInReverse() throws IOException, StartFailure {
    jars.jar(home.resolve("plugins/aa.jar"), PluginJars.metricsPlugin("aa", "", journal("aa"), ""));
    jars.jar(home.resolve("plugins/bb.jar"), PluginJars.metricsPlugin("bb", "", journal("bb"), ""));
    jars.jar(home.resolve("plugins/zz-codec.jar"), codec("zz-codec", "native"));
    TestKernel test = TestKernel.started(home);
    assertEquals("aa create,bb create,aa start,bb start,", journal());
    test.close();
    assertEquals(
        "aa create,bb create,aa start,bb start,bb drain,aa drain,bb close,aa close,codec close,",
        journal());
    assertEquals("Closed", test.state("aa"));
  }

  @Test
  void aPluginFindsTheServicesOfThoseBeforeIt() throws IOException, StartFailure {
    jars.jar(home.resolve("plugins/codec.jar"), codec("codec", "native"));
    jars.jar(
        home.resolve("plugins/asks.jar"),
        PluginJars.metricsPlugin(
            "asks",
            "",
            """
            var codecs = context.service(io.takhin.api.codec.Codecs.class);
            System.setProperty("test.journal", codecs == null ? "none" : "found");
            return () -> {};
            """,
            ""));
    jars.jar(
        home.resolve("plugins/asks-too-much.jar"),
        PluginJars.metricsPlugin(
            "asks-too-much",
            "",
            "context.service(io.takhin.api.storage.LogStorage.class); return () -> {};",
            ""));
    try (TestKernel test = TestKernel.started(home)) {
      assertEquals("found", journal());
      Refusal refusal = test.refusal("asks-too-much");
      assertTrue(
          refusal
              .reason()
              .contains(
                  "asks for io.takhin.api.storage.LogStorage, which no plugin before it provides"),
          refusal.line());
      assertTrue(refusal.reason().contains("Codecs by codec"), refusal.line());
    }
  }

  @Test
  void oneOfSeveralIsChosenByConfig() throws IOException, StartFailure {
    jars.jar(home.resolve("plugins/one.jar"), codec("one", "fast"));
    jars.jar(home.resolve("plugins/two.jar"), codec("two", "small"));
    TestKernel undecided = new TestKernel(home, Map.of());
    assertEquals(
        List.of("plugins.codec must choose, because several are present: [fast, small]"),
        undecided.problems.lines());
    TestKernel wrong = new TestKernel(home, Map.of("plugins.codec", "tiny"));
    assertEquals(
        List.of("plugins.codec: no plugin present provides 'tiny'; present: [fast, small]"),
        wrong.problems.lines());
    try (TestKernel chosen = TestKernel.started(home, Map.of("plugins.codec", "small"))) {
      assertEquals("Started", chosen.state("two"));
      assertEquals("Closed", chosen.state("one"));
    }
    try (TestKernel disabled = TestKernel.started(home, Map.of("plugins.disabled", "one"))) {
      assertEquals("Started", disabled.state("two"));
    }
  }

  @Test
  void withoutWhatIsRequiredNothingStaysStarted() throws IOException {
    jars.jar(home.resolve("plugins/aa.jar"), PluginJars.metricsPlugin("aa", "", journal("aa"), ""));
    jars.jar(
        home.resolve("plugins/bad.jar"),
        codec("bad", "x").descriptor("name=bad\nversion=1\napi-version=9.9\ndescription=d"));
    TestKernel test = new TestKernel(home, Map.of("plugins.required", "codec"));
    StartFailure failure = assertThrows(StartFailure.class, test.kernel::start);
    assertEquals(2, failure.lines().size());
    assertTrue(failure.lines().get(0).contains("made for API 9.9"));
    assertEquals("no plugin for codec is left; see above", failure.lines().get(1));
    assertEquals("", journal());
    assertEquals("Closed", test.state("aa"));
  }

  @Test
  void aPeriodicTaskThatThrowsIsCountedAndGoesOn()
      throws IOException, StartFailure, InterruptedException {
    jars.jar(
        home.resolve("plugins/clumsy.jar"),
        PluginJars.metricsPlugin(
            "clumsy",
            "",
            """
            return new Service() {
              public void start() {
                context.scheduler().scheduleAtFixedRate(() -> {
                  System.setProperty("test.journal", System.getProperty("test.journal") + "x");
                  throw new IllegalStateException("clumsy");
                }, 0, 1, java.util.concurrent.TimeUnit.MILLISECONDS);
              }
              public void close() {}
            };
            """,
            ""));
    try (TestKernel test = TestKernel.started(home)) {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (journal().length() < 3) {
        assertTrue(System.nanoTime() < deadline, "runs no more: " + journal());
        Thread.onSpinWait();
      }
      List<Double> failures = new ArrayList<>();
      test.kernel
          .metrics()
          .visit(
              new io.takhin.api.metrics.MetricVisitor() {
                @Override
                public void family(String name, String help, Kind kind) {}

                @Override
                public void value(Labels labels, double value) {
                  if (labels.namesAndValues().contains("clumsy")) {
                    failures.add(value);
                  }
                }

                @Override
                public void histogram(
                    Labels labels, io.takhin.api.metrics.Metrics.Histogram histogram) {}
              });
      assertTrue(failures.getFirst() >= 2, failures.toString());
    }
    String after = journal(); // the scheduler has ended: nothing can be on its way
    assertEquals(after, journal());
  }

  @Test
  void eachTransitionIsAFlightRecorderEvent()
      throws IOException, StartFailure, InterruptedException {
    jars.jar(home.resolve("plugins/aa.jar"), PluginJars.good("aa"));
    List<String> seen = new ArrayList<>();
    CountDownLatch closed = new CountDownLatch(1);
    try (RecordingStream stream = new RecordingStream()) {
      stream.enable("takhin.PluginState");
      stream.onEvent(
          "takhin.PluginState",
          event -> {
            seen.add(event.getString("plugin") + " " + event.getString("to"));
            if (event.getString("to").equals("Closed")) {
              closed.countDown();
            }
          });
      stream.startAsync();
      TestKernel.started(home).close();
      stream.stop();
    }
    assertTrue(closed.await(10, TimeUnit.SECONDS));
    assertEquals(
        List.of("aa Resolved", "aa Created", "aa Started", "aa Draining", "aa Closed"), seen);
  }

  @Test
  void aRequestToStopDuringStartIsHeard() throws IOException {
    jars.jar(home.resolve("plugins/aa.jar"), PluginJars.good("aa"));
    TestKernel test = new TestKernel(home, Map.of());
    test.stopSignal.request("test", 0);
    assertThrows(StartFailure.class, test.kernel::start);
    assertFalse(test.kernel.health().report().ready());
  }
}
