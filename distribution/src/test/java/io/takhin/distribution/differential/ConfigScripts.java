package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.ClusterRequests.BROKER;
import static io.takhin.distribution.differential.ClusterRequests.GROUP;
import static io.takhin.distribution.differential.ClusterRequests.TOPIC;
import static io.takhin.distribution.differential.ClusterRequests.alter;
import static io.takhin.distribution.differential.ClusterRequests.describeAllConfigs;
import static io.takhin.distribution.differential.ClusterRequests.describeConfigs;
import static io.takhin.distribution.differential.ClusterRequests.incremental;
import static io.takhin.distribution.differential.ClusterRequests.listConfigResources;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.topic;

import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;

/// Configurations of topics, brokers and groups.
final class ConfigScripts {
  private static final int SET = 0;
  private static final int DELETE = 1;
  private static final int APPEND = 2;
  private static final int SUBTRACT = 3;

  private ConfigScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.DESCRIBE_CONFIGS)) {
      all.add(described(v));
    }
    for (int v : versions(ApiKeys.INCREMENTAL_ALTER_CONFIGS)) {
      all.add(increments(v));
    }
    for (int v : versions(ApiKeys.ALTER_CONFIGS)) {
      all.add(altered(v));
    }
    for (int v : versions(ApiKeys.LIST_CONFIG_RESOURCES)) {
      all.add(
          Script.named("T18 resources with configs v" + v)
              .step(listConfigResources(v, (byte) 16))
              .step(listConfigResources(v, (byte) 4))
              .step(listConfigResources(v, (byte) 99))
              .build());
    }
    return all;
  }

  private static Script described(int v) {
    return Script.named("T17 configs v" + v)
        .step(topic("a", 1))
        .step(describeAllConfigs(v, TOPIC, "a"))
        .step(describeConfigs(v, TOPIC, "a"))
        .step(describeConfigs(v, TOPIC, "a", "retention.ms", "no.such.key"))
        .step(describeConfigs(v, TOPIC, "missing", "retention.ms"))
        .step(describeConfigs(v, TOPIC, "!bad name", "retention.ms"))
        .step(describeConfigs(v, TOPIC, "!", "retention.ms"))
        .step(describeConfigs(v, BROKER, "!1", "log.retention.hours", "auto.create.topics.enable"))
        .step(describeConfigs(v, BROKER, "!", "log.retention.ms"))
        .step(describeConfigs(v, BROKER, "!2", "log.retention.ms"))
        .step(describeConfigs(v, BROKER, "!one", "log.retention.ms"))
        .step(describeConfigs(v, 0, "!x", "log.retention.ms"))
        .step(describeConfigs(v, 99, "!x", "log.retention.ms"))
        .build();
  }

  private static Script increments(int v) {
    return Script.named("T18 configs changed one by one v" + v)
        .step(topic("a", 1))
        .step(incremental(v, false, TOPIC, "a", SET, "retention.ms", "1000"))
        .step(incremental(v, true, TOPIC, "a", SET, "retention.ms", "2000"))
        .step(describeConfigs(4, TOPIC, "a", "retention.ms"))
        .step(incremental(v, false, TOPIC, "a", DELETE, "retention.ms", null))
        .step(describeConfigs(4, TOPIC, "a", "retention.ms"))
        .step(incremental(v, false, TOPIC, "a", DELETE, "retention.ms", null))
        .step(incremental(v, false, TOPIC, "a", APPEND, "cleanup.policy", "compact"))
        .step(describeConfigs(4, TOPIC, "a", "cleanup.policy"))
        .step(incremental(v, false, TOPIC, "a", APPEND, "cleanup.policy", "compact"))
        .step(incremental(v, false, TOPIC, "a", SUBTRACT, "cleanup.policy", "delete"))
        .step(describeConfigs(4, TOPIC, "a", "cleanup.policy"))
        .step(incremental(v, false, TOPIC, "a", APPEND, "retention.ms", "5"))
        .step(incremental(v, false, TOPIC, "a", SUBTRACT, "retention.ms", "5"))
        .step(incremental(v, false, TOPIC, "a", 9, "retention.ms", "5"))
        .step(incremental(v, false, TOPIC, "a", SET, "retention.ms", "abc"))
        .step(incremental(v, false, TOPIC, "a", SET, "retention.ms", null))
        .step(incremental(v, false, TOPIC, "a", SET, "retention.ms", ""))
        .step(incremental(v, false, TOPIC, "a", SET, "no.such.key", "1"))
        .step(incremental(v, false, TOPIC, "a", DELETE, "no.such.key", null))
        .step(incremental(v, false, TOPIC, "missing", SET, "retention.ms", "1"))
        .step(incremental(v, false, TOPIC, "!bad name", SET, "retention.ms", "1"))
        .step(incremental(v, false, TOPIC, "!", SET, "retention.ms", "1"))
        .step(incremental(v, true, BROKER, "!1", SET, "log.retention.ms", "100000000"))
        .step(incremental(v, true, BROKER, "!1", SET, "broker.id", "7"))
        .step(incremental(v, true, BROKER, "!7", SET, "log.retention.ms", "100000000"))
        .step(incremental(v, true, BROKER, "!x", SET, "log.retention.ms", "100000000"))
        .step(incremental(v, true, 0, "!x", SET, "a", "1"))
        .step(incremental(v, true, 99, "!x", SET, "a", "1"))
        .step(describeConfigs(4, TOPIC, "a", "retention.ms", "cleanup.policy"))
        .build();
  }

  private static Script altered(int v) {
    return Script.named("T18 configs replaced v" + v)
        .step(topic("a", 1))
        .step(alter(v, false, TOPIC, "a", "retention.ms", "1000"))
        .step(alter(v, false, TOPIC, "a", "segment.bytes", "2000000"))
        .step(describeConfigs(4, TOPIC, "a", "retention.ms", "segment.bytes"))
        .step(alter(v, true, TOPIC, "a", null, null))
        .step(describeConfigs(4, TOPIC, "a", "retention.ms", "segment.bytes"))
        .step(alter(v, false, TOPIC, "a", null, null))
        .step(describeConfigs(4, TOPIC, "a", "retention.ms", "segment.bytes"))
        .step(alter(v, false, TOPIC, "a", "retention.ms", null))
        .step(alter(v, false, TOPIC, "a", "retention.ms", "x"))
        .step(alter(v, false, TOPIC, "a", "no.such.key", "x"))
        .step(alter(v, false, TOPIC, "missing", "retention.ms", "1"))
        .step(alter(v, true, BROKER, "!1", "log.retention.ms", "100000000"))
        .step(alter(v, true, BROKER, "!9", "log.retention.ms", "100000000"))
        .step(alter(v, true, GROUP, "g", "no.such.key", "1"))
        .step(alter(v, true, 0, "!x", "a", "1"))
        .build();
  }
}
