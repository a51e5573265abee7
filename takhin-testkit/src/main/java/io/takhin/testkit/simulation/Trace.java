package io.takhin.testkit.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayDeque;
import java.util.List;

/// What happened, in order: a hash over everything, and the last events in words. Two runs of one
/// seed have the same hash, or the simulation is broken.
///
/// Threading: the simulation's.
public final class Trace {
  private static final int KEPT = Integer.getInteger("takhin.simulation.trace", 400);
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final ArrayDeque<String> tail = new ArrayDeque<>();
  private long hash = FNV_OFFSET;
  private long events;

  Trace() {}

  void add(String event) {
    for (byte b : event.getBytes(UTF_8)) {
      hash = (hash ^ b) * FNV_PRIME;
    }
    hash = (hash ^ '\n') * FNV_PRIME;
    events++;
    if (tail.size() == KEPT) {
      tail.removeFirst();
    }
    tail.add(event);
  }

  /// FNV-1a over all events.
  public long hash() {
    return hash;
  }

  /// How many there were.
  public long events() {
    return events;
  }

  /// The last events.
  public List<String> tail() {
    return List.copyOf(tail);
  }
}
