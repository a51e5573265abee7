package io.takhin.broker.partition;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.codec.CompressionType;
import io.takhin.api.storage.LogConfig;
import io.takhin.api.storage.LogConfig.TimestampType;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TopicSettingsTest {
  private static final LogConfig DEFAULTS = LogConfigBuilder.defaults();

  @Test
  void everyKeyIsRead() {
    TopicSettings settings =
        settings(
            Map.ofEntries(
                Map.entry("segment.bytes", "1"),
                Map.entry("segment.ms", "2"),
                Map.entry("segment.jitter.ms", "3"),
                Map.entry("index.interval.bytes", "4"),
                Map.entry("segment.index.bytes", "5"),
                Map.entry("retention.ms", "-1"),
                Map.entry("retention.bytes", "7"),
                Map.entry("file.delete.delay.ms", "8"),
                Map.entry("max.message.bytes", "9"),
                Map.entry("flush.messages", "1"),
                Map.entry("flush.ms", "11"),
                Map.entry("message.timestamp.type", "LogAppendTime"),
                Map.entry("message.timestamp.before.max.ms", "12"),
                Map.entry("message.timestamp.after.max.ms", "13"),
                Map.entry("compression.type", "zstd"),
                Map.entry("cleanup.policy", "compact,delete"),
                Map.entry("takhin.validation", "strict"),
                Map.entry("min.insync.replicas", "2")));
    assertEquals(
        new LogConfig(
            1,
            2,
            3,
            4,
            5,
            -1,
            7,
            8,
            9,
            1,
            11,
            TimestampType.LOG_APPEND_TIME,
            12,
            13,
            CompressionType.ZSTD,
            true,
            true,
            true),
        settings.log());
    assertEquals(2, settings.minInSyncReplicas());
    assertTrue(settings.log().durableBeforeAck());
  }

  @Test
  void kafkasDefaultsAreTheStoragesDefaults() {
    InMemoryCluster cluster = new InMemoryCluster();
    cluster.createTopic("t", 1);
    LogConfig log = settings(cluster.topicConfig(cluster.image(), "t")).log();
    assertNull(log.compression());
    assertFalse(log.compact());
    assertTrue(log.delete());
    assertEquals(1 << 30, log.segmentBytes());
    assertEquals(Long.MAX_VALUE, log.flushMessages());
  }

  @Test
  void whatIsNotSetOrCannotBeReadKeepsTheDefault() {
    assertEquals(new TopicSettings(DEFAULTS, 1), settings(Map.of()));
    TopicSettings settings =
        settings(
            Map.of(
                "segment.bytes", "many",
                "retention.ms", "",
                "message.timestamp.type", "never",
                "compression.type", "brotli",
                "takhin.validation", "maybe",
                "min.insync.replicas", "x"));
    assertEquals(new TopicSettings(DEFAULTS, 1), settings);
  }

  @Test
  void codecsHaveKafkasNames() {
    for (CompressionType type : CompressionType.values()) {
      String name = type == CompressionType.NONE ? "uncompressed" : type.configName();
      assertEquals(type, settings(Map.of("compression.type", name)).log().compression());
    }
    assertNull(settings(Map.of("compression.type", "producer")).log().compression());
  }

  private static TopicSettings settings(Map<String, String> configs) {
    return TopicSettings.of("t", configs, DEFAULTS);
  }
}
