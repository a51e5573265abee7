package io.takhin.storage.local;

import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The wall clock as far as retention believes it: a jump ahead of what the monotonic clock saw
/// pass counts only after it stood for a day. A clock that was set wrong for an hour deletes
/// nothing; one that is right again after having been wrong for long is believed a day later.
///
/// Threading: one thread at a time.
final class RetentionClock {
  private static final Logger LOGGER = LoggerFactory.getLogger(RetentionClock.class);

  /// What may be removed too early by one jump: little beside any retention time that people set.
  private static final long TOLERATED_MS = 60_000L;

  private static final long BELIEVED_AFTER_MS = 86_400_000L;

  private long believedMs;
  private long atNanos;
  private long doubtedSinceNanos;
  private boolean doubting;

  RetentionClock(long wallMs, long nanos) {
    believedMs = wallMs;
    atNanos = nanos;
  }

  /// The time by which retention may remove something.
  synchronized long nowMs(long wallMs, long nanos) {
    long expectedMs = believedMs + TimeUnit.NANOSECONDS.toMillis(nanos - atNanos);
    boolean jumped = wallMs - expectedMs > TOLERATED_MS;
    if (jumped && !doubting) {
      doubtedSinceNanos = nanos;
      LOGGER.warn(
          "the clock is {} s ahead of what passed: retention goes on by the old time for a day,"
              + " or until a restart. Check the clock.",
          (wallMs - expectedMs) / 1000);
    }
    doubting = jumped;
    if (jumped && nanos - doubtedSinceNanos < TimeUnit.MILLISECONDS.toNanos(BELIEVED_AFTER_MS)) {
      return expectedMs;
    }
    doubting = false;
    believedMs = wallMs;
    atNanos = nanos;
    return wallMs;
  }
}
