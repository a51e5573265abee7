package io.takhin.protocol.kafka.net;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/// Keeps what clients can cause from filling the log: each kind is let through once a minute, with
/// the number of those held back. Kinds come from a bounded set; beyond 1000 they share one.
///
/// Threading: any thread. Blocking: a short lock.
public final class OncePerKind {
  private static final long PAUSE_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final int MAX_KINDS = 1000;
  private static final int MAX_SHOWN = 255;

  private final LongSupplier clock;
  private final Map<String, long[]> kinds = new HashMap<>();

  /// Nothing logged yet.
  public OncePerKind(LongSupplier clock) {
    this.clock = clock;
  }

  /// Whether to log now: -1 for no, else how many were held back since the last time.
  public long admit(String kind) {
    long now = clock.getAsLong();
    synchronized (kinds) {
      String key = kinds.containsKey(kind) || kinds.size() < MAX_KINDS ? kind : "";
      long[] state = kinds.get(key);
      if (state == null) {
        kinds.put(key, new long[] {now, 0});
        return 0;
      }
      if (now - state[0] < PAUSE_NANOS) {
        state[1]++;
        return -1;
      }
      long held = state[1];
      state[0] = now;
      state[1] = 0;
      return held;
    }
  }

  /// Text from a client, fit for a log line: capped, and nothing but printable ASCII (T67).
  public static String printable(String text) {
    int length = Math.min(text.length(), MAX_SHOWN);
    StringBuilder shown = new StringBuilder(length + 3);
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      shown.append(c >= ' ' && c < 0x7f && c != '\\' ? c : '?');
    }
    return text.length() > length ? shown.append("...").toString() : shown.toString();
  }
}
