package io.takhin.storage.local;

import io.takhin.api.config.Key;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import java.nio.file.Path;

/// The settings of this plugin: where logs live, and what topics that set nothing get.
public record LocalStorageConfig(
    @Key(
            value = "storage.data.dir",
            defaultValue = "/tmp/takhin-data",
            doc = "Directory for all data. The default does not survive a reboot: set it.")
        Path dataDir,
    @Key(
            value = "storage.log.segment.size",
            defaultValue = "1073741824",
            min = 1024,
            max = 2147483648L,
            doc =
                "Bytes after which a log starts a new segment file; segment.bytes of topics."
                    + " Retention removes whole segments. 2 GiB count as one byte less, which is"
                    + " the most that the positions in an index reach.")
        long segmentSize,
    @Key(
            value = "storage.log.retention.hours",
            defaultValue = "168",
            min = -1,
            doc =
                "Hours after which records may be removed; -1 keeps them for ever."
                    + " retention.ms of topics.")
        int retentionHours,
    @Key(
            value = "storage.log.retention.bytes",
            defaultValue = "0",
            min = -1,
            doc =
                "Bytes of one partition above which its oldest segments are removed; 0 or -1 sets no"
                    + " limit. retention.bytes of topics.")
        long retentionBytes,
    @Key(
            value = "storage.log.cleanup.interval.ms",
            defaultValue = "300000",
            min = 100,
            doc = "Milliseconds between two looks for segments that retention lets go.")
        int cleanupIntervalMs,
    @Key(
            value = "storage.log.flush.interval.ms",
            defaultValue = "1000",
            min = 10,
            doc =
                "Milliseconds after which written records are fsynced in the background: what a"
                    + " power cut may cost at most. flush.ms of topics.")
        int flushIntervalMs,
    @Key(
            value = "storage.log.flush.messages",
            defaultValue = "10000",
            min = 1,
            doc =
                "Records after which a log is fsynced in the background. 1 fsyncs before each"
                    + " acknowledgement, by group commit. flush.messages of topics.")
        long flushMessages,
    @Key(
            value = "storage.cleaner.enabled",
            defaultValue = "true",
            doc = "Whether retention removes segments at all.")
        boolean cleanerEnabled,
    @Key(
            value = "kafka.max.message.bytes",
            defaultValue = "1048576",
            min = 1,
            max = 1073741824,
            doc = "Bytes of the largest batch taken, as compressed; max.message.bytes of topics.")
        int maxMessageBytes,
    @Key(
            value = "storage.log.validation",
            defaultValue = "relaxed",
            oneOf = {"relaxed", "strict"},
            doc =
                "What is checked of compressed batches: relaxed looks at header and checksum,"
                    + " strict decompresses every batch and checks its records.")
        String validation,
    @Key(
            value = "storage.log.open.files",
            defaultValue = "2048",
            min = 16,
            max = 1000000,
            doc =
                "Segment files that are kept open; others open when they are read. Keep it below"
                    + " the process's limit by the number of connections.")
        int openFiles,
    @Key(
            value = "kafka.producer.id.expiration.ms",
            defaultValue = "86400000",
            min = 1,
            doc =
                "Milliseconds, by the timestamps of its batches, after which a partition forgets an"
                    + " idempotent producer that has no transaction open; looked at with retention.")
        int producerIdExpirationMs) {

  private static final long HOUR_MS = 3_600_000L;
  private static final long WEEK_MS = 604_800_000L;

  /// Checks the combination.
  public LocalStorageConfig {
    if (retentionHours == 0) {
      throw new IllegalArgumentException(
          "storage.log.retention.hours: 0 would remove records at once; use -1 to keep them for"
              + " ever, or at least 1");
    }
    if (segmentSize < maxMessageBytes) {
      throw new IllegalArgumentException(
          "storage.log.segment.size ("
              + segmentSize
              + ") must hold a batch of kafka.max.message.bytes ("
              + maxMessageBytes
              + ")");
    }
  }

  /// The log settings that follow; what has no key has Kafka's default.
  LogConfig logDefaults() {
    return new LogConfig(
        (int) Math.min(segmentSize, Integer.MAX_VALUE),
        WEEK_MS,
        0,
        4096,
        10 << 20,
        retentionHours < 0 ? -1 : retentionHours * HOUR_MS,
        retentionBytes <= 0 ? -1 : retentionBytes,
        60_000,
        maxMessageBytes,
        flushMessages,
        flushIntervalMs,
        TimestampType.CREATE_TIME,
        Long.MAX_VALUE,
        HOUR_MS,
        null,
        false,
        true,
        validation.equals("strict"));
  }
}
