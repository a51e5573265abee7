package io.takhin.testkit.storage;

import io.takhin.api.codec.CompressionType;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import org.jspecify.annotations.Nullable;

/// Makes a [LogConfig] that differs from Kafka's defaults in the few settings that a test is about.
///
/// Threading: one thread.
public final class LogConfigBuilder {
  private int segmentBytes = 1 << 30;
  private long segmentMs = 604_800_000L;
  private int indexIntervalBytes = 4096;
  private int segmentIndexBytes = 10 << 20;
  private long retentionMs = 604_800_000L;
  private long retentionBytes = -1;
  private long fileDeleteDelayMs = 60_000;
  private int maxMessageBytes = 1 << 20;
  private long flushMessages = Long.MAX_VALUE;
  private long flushMs = Long.MAX_VALUE;
  private TimestampType timestampType = TimestampType.CREATE_TIME;
  private long timestampBeforeMaxMs = Long.MAX_VALUE;
  private long timestampAfterMaxMs = Long.MAX_VALUE;
  private @Nullable CompressionType compression;
  private boolean compact;
  private boolean delete = true;
  private boolean strictValidation;

  /// Kafka's defaults, but that timestamps are not bounded.
  public LogConfigBuilder() {}

  /// Kafka's defaults, but that timestamps are not bounded.
  public static LogConfig defaults() {
    return new LogConfigBuilder().build();
  }

  /// Sets `segment.bytes`.
  public LogConfigBuilder segmentBytes(int value) {
    segmentBytes = value;
    return this;
  }

  /// Sets `segment.ms`.
  public LogConfigBuilder segmentMs(long value) {
    segmentMs = value;
    return this;
  }

  /// Sets `index.interval.bytes`.
  public LogConfigBuilder indexIntervalBytes(int value) {
    indexIntervalBytes = value;
    return this;
  }

  /// Sets `segment.index.bytes`.
  public LogConfigBuilder segmentIndexBytes(int value) {
    segmentIndexBytes = value;
    return this;
  }

  /// Sets `retention.ms`.
  public LogConfigBuilder retentionMs(long value) {
    retentionMs = value;
    return this;
  }

  /// Sets `retention.bytes`.
  public LogConfigBuilder retentionBytes(long value) {
    retentionBytes = value;
    return this;
  }

  /// Sets `file.delete.delay.ms`.
  public LogConfigBuilder fileDeleteDelayMs(long value) {
    fileDeleteDelayMs = value;
    return this;
  }

  /// Sets `max.message.bytes`.
  public LogConfigBuilder maxMessageBytes(int value) {
    maxMessageBytes = value;
    return this;
  }

  /// Sets `flush.messages`; 1 makes appends durable before they are committable.
  public LogConfigBuilder flushMessages(long value) {
    flushMessages = value;
    return this;
  }

  /// Sets `flush.ms`.
  public LogConfigBuilder flushMs(long value) {
    flushMs = value;
    return this;
  }

  /// Sets `message.timestamp.type`.
  public LogConfigBuilder timestampType(TimestampType value) {
    timestampType = value;
    return this;
  }

  /// Sets `message.timestamp.before.max.ms`.
  public LogConfigBuilder timestampBeforeMaxMs(long value) {
    timestampBeforeMaxMs = value;
    return this;
  }

  /// Sets `message.timestamp.after.max.ms`.
  public LogConfigBuilder timestampAfterMaxMs(long value) {
    timestampAfterMaxMs = value;
    return this;
  }

  /// Sets `compression.type`; null for `producer`.
  public LogConfigBuilder compression(@Nullable CompressionType value) {
    compression = value;
    return this;
  }

  /// Sets whether `cleanup.policy` has `compact`.
  public LogConfigBuilder compact(boolean value) {
    compact = value;
    return this;
  }

  /// Sets whether `cleanup.policy` has `delete`.
  public LogConfigBuilder delete(boolean value) {
    delete = value;
    return this;
  }

  /// Sets `takhin.validation=strict`.
  public LogConfigBuilder strictValidation(boolean value) {
    strictValidation = value;
    return this;
  }

  /// The config.
  public LogConfig build() {
    return new LogConfig(
        segmentBytes,
        segmentMs,
        0,
        indexIntervalBytes,
        segmentIndexBytes,
        retentionMs,
        retentionBytes,
        fileDeleteDelayMs,
        maxMessageBytes,
        flushMessages,
        flushMs,
        timestampType,
        timestampBeforeMaxMs,
        timestampAfterMaxMs,
        compression,
        compact,
        delete,
        strictValidation);
  }
}
