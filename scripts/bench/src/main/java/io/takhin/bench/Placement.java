package io.takhin.bench;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/// Gives the load generator the last processor and the broker all others, while latency is
/// measured. On a shared processor the scheduler lets the one wait for the other's slice, some
/// milliseconds, which has nothing to do with the broker: the floor's p99 showed it. Apart, the
/// generator can also spin, so that an answer is seen when it comes.
final class Placement implements AutoCloseable {
  private static final AtomicBoolean APART = new AtomicBoolean();

  // Read before anything is pinned: afterwards the JVM counts what it was left.
  private static final int PROCESSORS = Runtime.getRuntime().availableProcessors();

  private final Broker broker;

  private Placement(Broker broker) {
    this.broker = broker;
  }

  /// Sets both apart until closed; on one processor they share it.
  static Placement apart(Broker broker) throws IOException, InterruptedException {
    Placement placement = new Placement(broker);
    if (PROCESSORS > 1) {
      placement.pin(ProcessHandle.current().pid(), String.valueOf(PROCESSORS - 1));
      placement.pin(broker.stats().pid(), "0-" + (PROCESSORS - 2));
      APART.set(true);
    }
    return placement;
  }

  /// Whether the generator has a processor for itself.
  static boolean isApart() {
    return APART.get();
  }

  @Override
  public void close() throws IOException {
    APART.set(false);
    try {
      String all = "0-" + (PROCESSORS - 1);
      pin(ProcessHandle.current().pid(), all);
      if (broker.isAlive()) {
        pin(broker.stats().pid(), all);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void pin(long pid, String processorList) throws IOException, InterruptedException {
    broker.command(List.of("taskset", "-acp", processorList, Long.toString(pid)));
  }
}
