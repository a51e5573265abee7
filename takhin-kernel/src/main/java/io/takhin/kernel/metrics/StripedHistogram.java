package io.takhin.kernel.metrics;

import io.takhin.api.metrics.Metrics;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/// A histogram in buckets that double every eight: bucket `i < 8` holds the value `i`; above, eight
/// linear steps between one power of two and the next, so a bucket is never wider than an eighth of
/// its lower edge.
///
/// Threads write to the stripe of their id: one add to a bucket and one to the stripe's sum, both
/// in cache lines that other threads seldom touch. A stripe is made at its first use.
final class StripedHistogram implements Metrics.Histogram {
  private static final int STEP_BITS = 3;
  private static final int STEPS = 1 << STEP_BITS;
  private static final int BUCKETS = (Long.SIZE - 1 - STEP_BITS) * STEPS + STEPS;
  private static final int SUM = BUCKETS;
  private static final int STRIPES =
      Math.clamp(Integer.highestOneBit(Runtime.getRuntime().availableProcessors() * 2 - 1), 1, 8);

  private final AtomicReferenceArray<@Nullable AtomicLongArray> stripes =
      new AtomicReferenceArray<>(STRIPES);

  @Override
  public void record(long nanos) {
    long value = Math.max(0, nanos);
    AtomicLongArray stripe = stripe();
    stripe.getAndIncrement(bucket(value));
    stripe.getAndAdd(SUM, value);
  }

  private AtomicLongArray stripe() {
    int index = (int) Thread.currentThread().threadId() & (STRIPES - 1);
    AtomicLongArray stripe = stripes.get(index);
    return stripe != null ? stripe : makeStripe(index);
  }

  private AtomicLongArray makeStripe(int index) {
    AtomicLongArray made = new AtomicLongArray(BUCKETS + 1);
    AtomicLongArray other = stripes.compareAndExchange(index, null, made);
    return other == null ? made : other;
  }

  /// The bucket of a value that is not negative.
  static int bucket(long value) {
    if (value < STEPS) {
      return (int) value;
    }
    int exponent = Long.SIZE - 1 - Long.numberOfLeadingZeros(value);
    int step = (int) (value >>> (exponent - STEP_BITS)) & (STEPS - 1);
    return (exponent - STEP_BITS + 1) * STEPS + step;
  }

  /// The largest value in a bucket.
  static long upperEdge(int bucket) {
    if (bucket < STEPS) {
      return bucket;
    }
    int shift = bucket / STEPS - 1;
    long lower = (long) (STEPS + bucket % STEPS) << shift;
    return lower + (1L << shift) - 1;
  }

  @Override
  public long count() {
    long count = 0;
    for (long inBucket : merged()) {
      count += inBucket;
    }
    return count;
  }

  @Override
  public long sumNanos() {
    long sum = 0;
    for (int i = 0; i < STRIPES; i++) {
      AtomicLongArray stripe = stripes.get(i);
      sum += stripe == null ? 0 : stripe.get(SUM);
    }
    return sum;
  }

  @Override
  public long quantileNanos(double q) {
    long[] counts = merged();
    long count = 0;
    for (long inBucket : counts) {
      count += inBucket;
    }
    if (count == 0) {
      return 0;
    }
    long rank = Math.clamp((long) Math.ceil(q * count), 1, count);
    long seen = 0;
    int bucket = 0;
    while (seen + counts[bucket] < rank) {
      seen += counts[bucket];
      bucket++;
    }
    return upperEdge(bucket);
  }

  @Override
  public long[] cumulative(long[] boundsNanos) {
    long[] counts = merged();
    long[] result = new long[boundsNanos.length];
    for (int i = 0; i < result.length; i++) {
      // The bucket that the bound falls into counts only if the bound is its upper edge.
      for (int bucket = 0; bucket < BUCKETS && upperEdge(bucket) <= boundsNanos[i]; bucket++) {
        result[i] += counts[bucket];
      }
    }
    return result;
  }

  private long[] merged() {
    long[] counts = new long[BUCKETS];
    for (int i = 0; i < STRIPES; i++) {
      AtomicLongArray stripe = stripes.get(i);
      for (int bucket = 0; stripe != null && bucket < BUCKETS; bucket++) {
        counts[bucket] += stripe.get(bucket);
      }
    }
    return counts;
  }
}
