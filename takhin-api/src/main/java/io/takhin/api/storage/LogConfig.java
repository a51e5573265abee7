package io.takhin.api.storage;

import io.takhin.api.Api;
import io.takhin.api.codec.CompressionType;
import org.jspecify.annotations.Nullable;

/// The settings of one log, by the meanings of Kafka's topic configs of the same names.
///
/// @param segmentBytes `segment.bytes`: a segment is closed before it would grow beyond this
/// @param segmentMs `segment.ms`: a segment is closed when its first record is this old
/// @param segmentJitterMs `segment.jitter.ms`: at most so much is taken off segmentMs, at random
/// @param indexIntervalBytes `index.interval.bytes`: one index entry for at least so many bytes
/// @param segmentIndexBytes `segment.index.bytes`: a segment is closed when its index is this large
/// @param retentionMs `retention.ms`: closed segments whose newest record is older go; -1 for never
/// @param retentionBytes `retention.bytes`: oldest segments go while the log is larger; -1 for
/// never
/// @param fileDeleteDelayMs `file.delete.delay.ms`: files go so long after they were renamed
/// @param maxMessageBytes `max.message.bytes`: the largest batch taken, as compressed
/// @param flushMessages `flush.messages`: fsync after so many records; 1 means that a batch is on
///     disk before it is acknowledged or visible
/// @param flushMs `flush.ms`: fsync what is older than this
/// @param timestampType `message.timestamp.type`
/// @param timestampBeforeMaxMs `message.timestamp.before.max.ms`
/// @param timestampAfterMaxMs `message.timestamp.after.max.ms`
/// @param compression `compression.type`; null stands for `producer`: keep the producer's choice
/// @param compact whether `cleanup.policy` has `compact`
/// @param delete whether `cleanup.policy` has `delete`
/// @param strictValidation `takhin.validation=strict`: decompress every batch and check its records
@Api(status = Api.Status.EVOLVING, since = "0.1")
public record LogConfig(
    int segmentBytes,
    long segmentMs,
    long segmentJitterMs,
    int indexIntervalBytes,
    int segmentIndexBytes,
    long retentionMs,
    long retentionBytes,
    long fileDeleteDelayMs,
    int maxMessageBytes,
    long flushMessages,
    long flushMs,
    TimestampType timestampType,
    long timestampBeforeMaxMs,
    long timestampAfterMaxMs,
    @Nullable CompressionType compression,
    boolean compact,
    boolean delete,
    boolean strictValidation) {

  /// Whether an append counts only when it is on disk.
  public boolean durableBeforeAck() {
    return flushMessages == 1;
  }

  /// Whose clock stamps records.
  public enum TimestampType {
    /// The producer's.
    CREATE_TIME,
    /// The broker's, at append.
    LOG_APPEND_TIME
  }
}
