package io.takhin.distribution.simulation;

import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// What a seed chooses once.
///
/// @param flushMessages of the broker, and so of `__consumer_offsets` and `__transaction_state`: 1
///     for group commit
/// @param staticMembers a bit for each consumer that is one
/// @param classicIds a bit for each transactional id of the classic generation
record SimulationSettings(
    int segmentBytes,
    int maxMessageBytes,
    int indexIntervalBytes,
    int flushMs,
    long flushMessages,
    int consumers,
    int staticMembers,
    int transactionalIds,
    int classicIds,
    int steps) {
  static final String DURABLE = "durable";
  static final String CACHED = "cached";

  /// Its records do not stay.
  static final String FADING = "fading";

  private static final long RETENTION_MS = 6_000;

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
        random.nextInt(8),
        1 + random.nextInt(3),
        random.nextInt(8),
        6_000);
  }

  /// Whether what is acknowledged in a topic is on disk.
  boolean durable(String topic) {
    return topic.equals(DURABLE) || flushMessages == 1;
  }

  /// How old records of a topic get; -1 for any age.
  long retentionMs(String topic) {
    return topic.equals(FADING) ? RETENTION_MS : -1;
  }

  /// How much of a fading partition stays, whatever its age.
  long retentionBytes() {
    return 3L * segmentBytes;
  }

  Map<String, @Nullable String> retention() {
    return Map.of(
        "retention.ms",
        Long.toString(RETENTION_MS),
        "retention.bytes",
        Long.toString(retentionBytes()));
  }

  /// Whether a consumer is a static member.
  boolean staticMember(int consumer) {
    return (staticMembers >> consumer & 1) == 1;
  }

  /// Whether a transactional id is used as of `transaction.version=2`.
  boolean secondGeneration(int id) {
    return (classicIds >> id & 1) == 0;
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
