package io.takhin.cluster.raft;

import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigResource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Every config key that Kafka 4.3 has, and ours, by resource: tables in the resources beside this
/// class. A test holds them against Kafka's own.
final class ConfigTables {
  static final Map<String, ConfigKey> TOPIC = load("topic-configs.tsv");
  static final Map<String, ConfigKey> BROKER = load("broker-configs.tsv");
  static final Map<String, ConfigKey> GROUP = load("group-configs.tsv");
  static final Map<String, ConfigKey> CLIENT_METRICS = load("client-metrics-configs.tsv");

  /// Topic keys by the broker key that is their default.
  static final Map<String, ConfigKey> TOPIC_BY_BROKER_KEY = byBrokerKey();

  /// In which milliseconds Kafka's coarser spellings of a key count: the key, its topic key, unit.
  static final List<CoarseKey> COARSE =
      List.of(
          new CoarseKey("log.retention.minutes", "retention.ms", 60_000),
          new CoarseKey("log.retention.hours", "retention.ms", 3_600_000),
          new CoarseKey("log.roll.hours", "segment.ms", 3_600_000),
          new CoarseKey("log.roll.jitter.hours", "segment.jitter.ms", 3_600_000));

  private ConfigTables() {}

  record CoarseKey(String brokerKey, String topicKey, long unitMs) {}

  static Map<String, ConfigKey> of(ConfigResource.Type type) {
    return switch (type) {
      case TOPIC -> TOPIC;
      case BROKER -> BROKER;
      case GROUP -> GROUP;
      case CLIENT_METRICS -> CLIENT_METRICS;
      case BROKER_LOGGER -> Map.of();
    };
  }

  private static Map<String, ConfigKey> byBrokerKey() {
    Map<String, ConfigKey> keys = new TreeMap<>();
    for (ConfigKey key : TOPIC.values()) {
      if (!key.related().equals("-")) {
        keys.put(key.related(), key);
      }
    }
    return Collections.unmodifiableMap(keys);
  }

  private static Map<String, ConfigKey> load(String resource) {
    Map<String, ConfigKey> keys = new TreeMap<>();
    try (InputStream stream = ConfigTables.class.getResourceAsStream(resource)) {
      if (stream == null) {
        throw new IllegalStateException("the plugin's jar lacks " + resource);
      }
      BufferedReader lines =
          new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8));
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!line.startsWith("#")) {
          ConfigKey key = parse(line.split("\t", -1));
          keys.put(key.name(), key);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the plugin's jar has an unreadable " + resource, e);
    }
    return Collections.unmodifiableMap(keys);
  }

  private static ConfigKey parse(String[] cells) {
    return new ConfigKey(
        cells[0],
        ConfigEntry.Type.valueOf(cells[1]),
        cells[2].equals("~") ? null : cells[2],
        cells[3],
        cells[4],
        cells.length > 5 ? cells[5] : null);
  }
}
