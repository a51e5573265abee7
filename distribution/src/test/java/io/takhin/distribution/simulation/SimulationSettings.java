package io.takhin.distribution.simulation;

import java.util.Map;
import java.util.Random;

/// What a seed chooses once.
///
/// @param flushMessages of the broker, and so of `__consumer_offsets`: 1 for group commit
record SimulationSettings(
    int segmentBytes,
    int maxMessageBytes,
    int indexIntervalBytes,
    int flushMs,
    long flushMessages,
    int consumers,
    int steps) {
  static final String DURABLE = "durable";
  static final String CACHED = "cached";

  static SimulationSettings draw(Random random) {
    int[] segments = {4096, 8192, 16_384, 65_536};
    int[] intervals = {100, 512, 4096};
    return new SimulationSettings(
        segments[random.nextInt(segments.length)],
        4096,
        intervals[random.nextInt(intervals.length)],
        1000,
        random.nextBoolean() ? 1 : 10_000,
        1 + random.nextInt(3),
        6_000);
  }

  /// Whether what is acknowledged in a topic is on disk.
  boolean durable(String topic) {
    return topic.equals(DURABLE) || flushMessages == 1;
  }

  Map<String, String> topicDefaults() {
    return Map.of(
        "segment.bytes", Integer.toString(segmentBytes),
        "index.interval.bytes", Integer.toString(indexIntervalBytes),
        "max.message.bytes", Integer.toString(maxMessageBytes),
        "flush.ms", Integer.toString(flushMs),
        "flush.messages", Long.toString(flushMessages),
        "file.delete.delay.ms", "2000");
  }
}
