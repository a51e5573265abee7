package io.takhin.testkit.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.ArrayList;
import java.util.List;

/// What happened, in order: a hash over everything, and the last events in words. Two runs of one
/// seed have the same hash, or the simulation is broken.
///
/// Threading: the simulation's.
public final class Trace {
  private static final int KEPT = Math.max(1, Integer.getInteger("takhin.simulation.trace", 400));
  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final String[] events = new String[KEPT];
  private final long[] micros = new long[KEPT];
  private long hash = FNV_OFFSET;
  private long count;

  Trace() {}

  /// Adds an event. Put into words is only what is shown in the end; the hash is over the words.
  void add(long atMicros, String event) {
    long sum = mix(hash, Long.toString(atMicros));
    sum = mix(sum, ' ');
    sum = mix(sum, event);
    hash = mix(sum, '\n');
    int slot = (int) (count % KEPT);
    events[slot] = event;
    micros[slot] = atMicros;
    count++;
  }

  private static long mix(long sum, int octet) {
    return (sum ^ octet) * FNV_PRIME;
  }

  private static long mix(long sum, String text) {
    long mixed = sum;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        for (byte octet : text.substring(i).getBytes(UTF_8)) {
          mixed = mix(mixed, octet);
        }
        return mixed;
      }
      mixed = mix(mixed, c);
    }
    return mixed;
  }

  /// FNV-1a over all events.
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
      tail.add(micros[slot] + " " + events[slot]);
    }
    return tail;
  }
}
