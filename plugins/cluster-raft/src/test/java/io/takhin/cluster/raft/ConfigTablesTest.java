package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Our tables against Kafka 4.3.1's own classes (T17, T70).
class ConfigTablesTest {
  private static Map<String, String> ours(Map<String, ConfigKey> table) {
    Map<String, String> keys = new TreeMap<>();
    table.forEach((name, key) -> keys.put(name, key.type() + " " + key.defaultValue()));
    return keys;
  }

  private static Map<String, String> kafkas(ConfigDef definition) {
    Map<String, String> keys = new TreeMap<>();
    definition
        .configKeys()
        .values()
        .forEach(
            key -> {
              if (!key.internalConfig) {
                keys.put(key.name, key.type + " " + defaultOf(key));
              }
            });
    return keys;
  }

  private static @Nullable String defaultOf(ConfigDef.ConfigKey key) {
    return key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null;
  }

  @Test
  void everyTopicConfigHasKafkasTypeAndDefault() {
    Map<String, String> ours = ours(ConfigTables.TOPIC);
    assertNotNull(ours.remove("takhin.validation"));
    assertEquals(kafkas(LogConfig.configDefCopy()), ours);
  }

  @Test
  void everyBrokerConfigHasKafkasTypeAndDefaultT70() {
    assertEquals(kafkas(AbstractKafkaConfig.CONFIG_DEF), ours(ConfigTables.BROKER));
  }

  @Test
  void everyGroupConfigHasKafkasTypeAndDefault() {
    assertEquals(kafkas(GroupConfig.CONFIG_DEF), ours(ConfigTables.GROUP));
  }

  @Test
  void everyClientMetricsConfigHasKafkasTypeAndDefault() {
    assertEquals(kafkas(ClientMetricsConfigs.configDef()), ours(ConfigTables.CLIENT_METRICS));
  }

  @Test
  void topicConfigsStandBehindTheBrokerConfigThatKafkaNames() {
    ConfigTables.TOPIC.forEach(
        (name, key) -> {
          var synonyms =
              ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(name, List.of());
          assertEquals(synonyms.isEmpty() ? "-" : synonyms.getFirst().name(), key.related(), name);
        });
  }

  @Test
  void everyDefaultIsAllowed() {
    for (Map<String, ConfigKey> table :
        List.of(ConfigTables.TOPIC, ConfigTables.GROUP, ConfigTables.CLIENT_METRICS)) {
      table
          .values()
          .forEach(
              key -> {
                String value = key.defaultValue();
                assertNotNull(value, key.name());
                assertNull(key.check(value), key.name());
              });
    }
  }

  @Test
  void kafkaRefusesWhatWeRefuseOfTopicConfigs() {
    ConfigDef kafka = LogConfig.configDefCopy();
    String[] values = {
      "abc",
      "",
      "-3",
      "-2",
      "-1",
      "0",
      "1",
      "2",
      "9",
      "10",
      "17",
      "18",
      "100",
      "1048575",
      "1048576",
      "2147483648",
      "9223372036854775808",
      "0.5",
      "1.5",
      "true",
      "TRUE",
      "yes",
      "compact",
      "delete",
      "compact,delete",
      "delete,delete",
      "nothing",
      "zstd",
      "producer",
      "CreateTime",
      "createtime",
      "0:1",
      "0:1,1:2",
      "*",
      "a:b"
    };
    for (ConfigKey key : ConfigTables.TOPIC.values()) {
      if (key.name().startsWith("takhin.")) {
        continue;
      }
      for (String value : values) {
        boolean refused = false;
        try {
          kafka.configKeys().get(key.name());
          kafka.parse(Map.of(key.name(), value));
        } catch (RuntimeException e) {
          refused = true;
        }
        assertEquals(refused, key.check(value) != null, key.name() + "=" + value);
      }
    }
  }

  @Test
  void everyTopicConfigIsExplained() {
    ConfigTables.TOPIC
        .values()
        .forEach(
            key -> {
              String documentation = key.documentation();
              assertNotNull(documentation, key.name());
              assertFalse(documentation.isBlank(), key.name());
            });
  }
}
