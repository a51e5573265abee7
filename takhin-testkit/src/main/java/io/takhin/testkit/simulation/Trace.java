package io.takhin.testkit.simulation;

import java.util.ArrayList;
import java.util.List;

/// What happened, in order: a hash over everything, and the last events, put into words when they
/// are shown. Two runs of one seed have the same hash, or the simulation is broken.
///
/// Threading: the simulation's.
public final class Trace {
  private static final int KEPT = Math.max(1, Integer.getInteger("takhin.simulation.trace", 400));
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;
  private static final long NO_NUMBER = Long.MIN_VALUE;

  private final long[] micros = new long[KEPT];
  private final String[] events = new String[KEPT];
  private final long[] numbers = new long[KEPT];
  private final String[] places = new String[KEPT];
  private long hash = FNV_OFFSET;
  private long count;

  Trace() {}

  void add(long atMicros, String event) {
    add(atMicros, event, NO_NUMBER, "");
  }

  /// An event of three parts, which need not be one string for it.
  void add(long atMicros, String event, long number, String place) {
    int slot = (int) (count % KEPT);
    micros[slot] = atMicros;
    events[slot] = event;
    numbers[slot] = number;
    places[slot] = place;
    count++;
    // Strings that live on, as names and paths do, know their hash.
    long sum = mix(mix(hash, atMicros), event.hashCode());
    hash = number == NO_NUMBER ? sum : mix(mix(sum, number), place.hashCode());
  }

  private static long mix(long sum, long value) {
    long mixed = (sum ^ value) * FNV_PRIME;
    return mixed ^ (mixed >>> 32);
  }

  /// Of all events.
  public long hash() {
    return hash;
  }

  /// How many there were.
  public long events() {
    return count;
  }

  /// The last events.
  public List<String> tail() {
    List<String> tail = new ArrayList<>();
    for (long i = Math.max(0, count - KEPT); i < count; i++) {
      int slot = (int) (i % KEPT);
      String words =
          numbers[slot] == NO_NUMBER
              ? events[slot]
              : events[slot] + " " + numbers[slot] + " " + places[slot];
      tail.add(micros[slot] + " " + words);
    }
    return tail;
  }
}
