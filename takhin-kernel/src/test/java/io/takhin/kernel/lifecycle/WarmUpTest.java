package io.takhin.kernel.lifecycle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.PluginContext;
import io.takhin.api.Provider;
import io.takhin.api.Service;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class WarmUpTest {
  record None() {}

  private record Warming(String name, Runnable body) implements Provider<None, Service> {
    @Override
    public Class<None> configType() {
      return None.class;
    }

    @Override
    public Service create(None config, PluginContext context) {
      throw new AssertionError("nobody asked for a service");
    }

    @Override
    public void warmUp() {
      body.run();
    }
  }

  @Test
  void oneThatFailsKeepsNobodyElseCold() throws InterruptedException {
    List<String> warm = new CopyOnWriteArrayList<>();
    Thread thread =
        WarmUp.begin(
            List.of(
                new Warming("first", () -> warm.add(Thread.currentThread().getName())),
                new Warming(
                    "broken",
                    () -> {
                      throw new UnsatisfiedLinkError("no such library");
                    }),
                new Warming("last", () -> warm.add("last"))));
    thread.join();
    assertEquals(List.of("takhin-warm-up", "last"), warm);
    assertTrue(thread.isDaemon());
  }
}
