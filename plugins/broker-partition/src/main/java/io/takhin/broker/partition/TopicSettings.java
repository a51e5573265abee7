package io.takhin.broker.partition;

import io.takhin.api.codec.CompressionType;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a topic's configs mean to its partitions.
///
/// @param log the settings of its logs
/// @param minInSyncReplicas `min.insync.replicas`
record TopicSettings(LogConfig log, int minInSyncReplicas) {
  private static final Logger LOG = LoggerFactory.getLogger(TopicSettings.class);

  /// Reads the configs in force, by Kafka's names. The cluster has validated them; one that cannot
  /// be read all the same is logged and keeps the storage's default, since the metadata must be
  /// followed.
  static TopicSettings of(String topic, Map<String, String> configs, LogConfig defaults) {
    Reader in = new Reader(topic, configs);
    String policy = in.text("cleanup.policy", defaults.compact() ? policy(defaults) : "delete");
    LogConfig log =
        new LogConfig(
            in.intOf("segment.bytes", defaults.segmentBytes()),
            in.longOf("segment.ms", defaults.segmentMs()),
            in.longOf("segment.jitter.ms", defaults.segmentJitterMs()),
            in.intOf("index.interval.bytes", defaults.indexIntervalBytes()),
            in.intOf("segment.index.bytes", defaults.segmentIndexBytes()),
            in.longOf("retention.ms", defaults.retentionMs()),
            in.longOf("retention.bytes", defaults.retentionBytes()),
            in.longOf("file.delete.delay.ms", defaults.fileDeleteDelayMs()),
            in.intOf("max.message.bytes", defaults.maxMessageBytes()),
            in.longOf("flush.messages", defaults.flushMessages()),
            in.longOf("flush.ms", defaults.flushMs()),
            in.read(
                "message.timestamp.type", defaults.timestampType(), TopicSettings::timestampType),
            in.longOf("message.timestamp.before.max.ms", defaults.timestampBeforeMaxMs()),
            in.longOf("message.timestamp.after.max.ms", defaults.timestampAfterMaxMs()),
            compression(in, defaults),
            policy.contains("compact"),
            policy.contains("delete"),
            in.read("takhin.validation", defaults.strictValidation(), TopicSettings::strict));
    return new TopicSettings(log, in.intOf("min.insync.replicas", 1));
  }

  private static String policy(LogConfig defaults) {
    return defaults.delete() ? "compact,delete" : "compact";
  }

  private static TimestampType timestampType(String value) {
    return switch (value) {
      case "CreateTime" -> TimestampType.CREATE_TIME;
      case "LogAppendTime" -> TimestampType.LOG_APPEND_TIME;
      default -> throw new IllegalArgumentException("neither CreateTime nor LogAppendTime");
    };
  }

  private static boolean strict(String value) {
    return switch (value) {
      case "strict" -> true;
      case "relaxed" -> false;
      default -> throw new IllegalArgumentException("neither strict nor relaxed");
    };
  }

  /// `producer` keeps the producer's choice, `uncompressed` is Kafka's name for none.
  private static @Nullable CompressionType compression(Reader in, LogConfig defaults) {
    String unset = "";
    String value = in.text("compression.type", unset);
    if (value.equals(unset)) {
      return defaults.compression();
    }
    if (value.equals("producer")) {
      return null;
    }
    if (value.equals("uncompressed")) {
      return CompressionType.NONE;
    }
    for (CompressionType type : CompressionType.values()) {
      if (type.configName().equals(value)) {
        return type;
      }
    }
    in.unreadable("compression.type", value, "no such codec");
    return defaults.compression();
  }

  /// Values by key, with what to do about bad ones.
  private record Reader(String topic, Map<String, String> configs) {
    String text(String key, String fallback) {
      String value = configs.get(key);
      return value == null ? fallback : value.strip();
    }

    int intOf(String key, int fallback) {
      return read(key, fallback, Integer::valueOf);
    }

    long longOf(String key, long fallback) {
      return read(key, fallback, Long::valueOf);
    }

    <T> T read(String key, T fallback, Function<String, T> parse) {
      String value = configs.get(key);
      if (value == null) {
        return fallback;
      }
      try {
        return parse.apply(value.strip());
      } catch (IllegalArgumentException e) {
        unreadable(key, value, e.getMessage());
        return fallback;
      }
    }

    void unreadable(String key, String value, @Nullable String why) {
      LOG.error("topic {}: {}={} is ignored ({}); set it again", topic, key, value, why);
    }
  }
}
