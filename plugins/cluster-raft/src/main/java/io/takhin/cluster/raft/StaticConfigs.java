package io.takhin.cluster.raft;

import io.takhin.api.codec.CompressionType;
import io.takhin.api.storage.LogConfig;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// The broker's own settings in the words of Kafka: by broker key, what differs from Kafka's
/// default or is ours to say.
///
/// @param values by broker key
/// @param topics by topic key: what a topic that sets nothing gets, all keys
record StaticConfigs(Map<String, String> values, Map<String, String> topics) {

  /// @param configuration the whole broker's: a key `kafka.x` of any plugin is Kafka's broker key
  /// `x`
  static StaticConfigs of(
      RaftClusterConfig config, LogConfig logs, Map<String, String> configuration) {
    Map<String, String> topics = new TreeMap<>();
    ConfigTables.TOPIC
        .values()
        .forEach(
            key -> topics.put(key.name(), key.defaultValue() == null ? "" : key.defaultValue()));
    topics.putAll(topicValues(logs));

    Map<String, String> values = new TreeMap<>();
    ConfigTables.TOPIC_BY_BROKER_KEY.forEach(
        (brokerKey, key) -> {
          String value = topics.getOrDefault(key.name(), "");
          if (!value.equals(key.defaultValue())) {
            values.put(brokerKey, value);
          }
        });
    for (ConfigTables.CoarseKey coarse : ConfigTables.COARSE) {
      long ms = Long.parseLong(topics.getOrDefault(coarse.topicKey(), "0"));
      if (ms > 0 && ms % coarse.unitMs() == 0 && coarse.brokerKey().endsWith("hours")) {
        values.put(coarse.brokerKey(), Long.toString(ms / coarse.unitMs()));
      }
    }
    ConfigTables.BROKER.forEach(
        (brokerKey, key) -> {
          String value = configuration.get("kafka." + brokerKey);
          if (value != null && !value.equals(key.defaultValue())) {
            values.put(brokerKey, value);
          }
        });
    String id = Integer.toString(config.brokerId());
    values.put("broker.id", id);
    values.put("node.id", id);
    values.put("process.roles", "broker,controller");
    values.put("controller.listener.names", "CONTROLLER");
    values.put("log.dir", config.dataDir().toString());
    values.put("log.dirs", config.dataDir().toString());
    values.put("metadata.log.dir", config.dataDir().resolve("__metadata").toString());
    values.put("listeners", "PLAINTEXT://:" + config.serverPort());
    values.put(
        "advertised.listeners",
        "PLAINTEXT://%s:%d".formatted(config.advertisedHost(), config.advertisedPort()));
    values.put("num.partitions", Integer.toString(config.numPartitions()));
    values.put("default.replication.factor", Integer.toString(config.defaultReplicationFactor()));
    values.put(
        "controller.quorum.election.timeout.ms", Integer.toString(config.electionTimeoutMs()));
    values.put(
        "metadata.log.max.snapshot.interval.ms", Integer.toString(config.snapshotIntervalMs()));
    return new StaticConfigs(values, topics);
  }

  private static Map<String, String> topicValues(LogConfig logs) {
    Map<String, String> values = new TreeMap<>();
    values.put("segment.bytes", Integer.toString(logs.segmentBytes()));
    values.put("segment.ms", Long.toString(logs.segmentMs()));
    values.put("segment.jitter.ms", Long.toString(logs.segmentJitterMs()));
    values.put("index.interval.bytes", Integer.toString(logs.indexIntervalBytes()));
    values.put("segment.index.bytes", Integer.toString(logs.segmentIndexBytes()));
    values.put("retention.ms", Long.toString(logs.retentionMs()));
    values.put("retention.bytes", Long.toString(logs.retentionBytes()));
    values.put("file.delete.delay.ms", Long.toString(logs.fileDeleteDelayMs()));
    values.put("max.message.bytes", Integer.toString(logs.maxMessageBytes()));
    values.put("flush.messages", Long.toString(logs.flushMessages()));
    values.put("flush.ms", Long.toString(logs.flushMs()));
    values.put(
        "message.timestamp.type",
        logs.timestampType() == LogConfig.TimestampType.CREATE_TIME
            ? "CreateTime"
            : "LogAppendTime");
    values.put("message.timestamp.before.max.ms", Long.toString(logs.timestampBeforeMaxMs()));
    values.put("message.timestamp.after.max.ms", Long.toString(logs.timestampAfterMaxMs()));
    CompressionType compression = logs.compression();
    values.put(
        "compression.type",
        compression == null
            ? "producer"
            : compression == CompressionType.NONE
                ? "uncompressed"
                : compression.name().toLowerCase(Locale.ROOT));
    values.put(
        "cleanup.policy", logs.compact() ? logs.delete() ? "compact,delete" : "compact" : "delete");
    values.put("takhin.validation", logs.strictValidation() ? "strict" : "relaxed");
    return values;
  }
}
