package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResource;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterConfigsResourceCollection;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfig;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData.AlterableConfigCollection;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.message.ListConfigResourcesRequestData;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ConfigApisTest {
  private static final byte TOPIC = 2;
  private static final byte BROKER = 4;

  private final InMemoryCluster cluster = new InMemoryCluster();
  private final List<MessageApi<?>> apis = new ConfigApis(cluster).apis();

  ConfigApisTest() {
    cluster.createTopic("orders", 1);
  }

  private DescribeConfigsResponseData.DescribeConfigsResult describe(
      int version, int type, String name, @Nullable List<String> keys) {
    DescribeConfigsResponseData answer =
        new RecordingExchange(ApiKeys.DESCRIBE_CONFIGS, version)
            .ask(
                apis,
                new DescribeConfigsRequestData()
                    .setIncludeSynonyms(true)
                    .setResources(
                        List.of(
                            new DescribeConfigsResource()
                                .setResourceType((byte) type)
                                .setResourceName(name)
                                .setConfigurationKeys(keys))))
            .response();
    return answer.results().getFirst();
  }

  @Test
  void t6NullAndEmptyKeysAreAllKeysAndNamedOnesAreThemselves() {
    for (int version = 1; version <= ApiKeys.DESCRIBE_CONFIGS.latestVersion(); version++) {
      int all = describe(version, TOPIC, "orders", null).configs().size();
      assertTrue(all > 20);
      assertEquals(all, describe(version, TOPIC, "orders", List.of()).configs().size());
      var one = describe(version, TOPIC, "orders", List.of("cleanup.policy")).configs();
      assertEquals(1, one.size());
      assertEquals("delete", one.getFirst().value());
      assertEquals(5, one.getFirst().configSource());
      assertEquals(1, one.getFirst().synonyms().size());
    }
  }

  @Test
  void t17WhatCannotBeDescribedSaysWhy() {
    assertEquals(3, describe(4, TOPIC, "gone", null).errorCode());
    assertEquals(17, describe(4, TOPIC, "bad name!", null).errorCode());
    assertEquals(0, describe(4, BROKER, "1", null).errorCode());
    assertEquals(0, describe(4, BROKER, "", null).errorCode());
    var other = describe(4, BROKER, "7", null);
    assertEquals(42, other.errorCode());
    assertEquals(
        "Unexpected broker id, expected 1 or empty string, but received 7", other.errorMessage());
    assertEquals(42, describe(4, BROKER, "one", null).errorCode());
    assertEquals(42, describe(4, 8, "", null).errorCode());
    assertEquals(42, describe(4, 16, "", null).errorCode());
    assertEquals(42, describe(4, 32, "", null).errorCode());
    assertEquals(
        ErrorCode.INVALID_REQUEST,
        new RecordingExchange(ApiKeys.DESCRIBE_CONFIGS, 4)
            .ask(
                apis,
                new DescribeConfigsRequestData()
                    .setResources(
                        List.of(
                            new DescribeConfigsResource()
                                .setResourceType((byte) 3)
                                .setResourceName("x"))))
            .refusal());
  }

  private static AlterConfigsResource altering(int type, String name, AlterableConfig... configs) {
    AlterableConfigCollection collection = new AlterableConfigCollection();
    for (AlterableConfig config : configs) {
      collection.add(config);
    }
    return new AlterConfigsResource()
        .setResourceType((byte) type)
        .setResourceName(name)
        .setConfigs(collection);
  }

  private static AlterableConfig config(String key, int op, @Nullable String value) {
    return new AlterableConfig().setName(key).setConfigOperation((byte) op).setValue(value);
  }

  private List<Integer> alter(int version, AlterConfigsResource... resources) {
    AlterConfigsResourceCollection collection = new AlterConfigsResourceCollection();
    for (AlterConfigsResource resource : resources) {
      collection.add(resource);
    }
    IncrementalAlterConfigsResponseData answer =
        new RecordingExchange(ApiKeys.INCREMENTAL_ALTER_CONFIGS, version)
            .ask(apis, new IncrementalAlterConfigsRequestData().setResources(collection))
            .response();
    return answer.responses().stream().map(one -> (int) one.errorCode()).toList();
  }

  private Map<String, String> set() {
    return cluster.image().config(new ConfigResource(ConfigResource.Type.TOPIC, "orders"));
  }

  @Test
  void t18SetsDeletesAppendsAndSubtracts() {
    for (int version = 0; version <= 1; version++) {
      assertEquals(
          List.of(0), alter(version, altering(TOPIC, "orders", config("retention.ms", 0, "9"))));
      assertEquals("9", set().get("retention.ms"));
      assertEquals(
          List.of(0),
          alter(version, altering(TOPIC, "orders", config("cleanup.policy", 2, "compact"))));
      assertEquals("delete,compact", set().get("cleanup.policy"));
      assertEquals(
          List.of(0),
          alter(version, altering(TOPIC, "orders", config("cleanup.policy", 3, "delete"))));
      assertEquals("compact", set().get("cleanup.policy"));
      assertEquals(
          List.of(0),
          alter(
              version,
              altering(
                  TOPIC,
                  "orders",
                  config("cleanup.policy", 1, null),
                  config("retention.ms", 1, null))));
      assertEquals(Map.of(), set());
    }
  }

  @Test
  void t18OneBadResourceDoesNotTouchTheOthers() {
    assertEquals(
        List.of(42, 42, 42, 42, 42, 42, 0, 3),
        alter(
            1,
            altering(TOPIC, "twice", config("retention.ms", 0, "1")),
            altering(TOPIC, "twice", config("retention.ms", 0, "2")),
            altering(99, "x", config("retention.ms", 0, "1")),
            altering(BROKER, "1", config("a", 0, "1"), config("a", 2, "2")),
            altering(BROKER, "2", config("a", 0, "1")),
            altering(BROKER, "", config("a", 7, "1")),
            altering(TOPIC, "orders", config("retention.ms", 0, "1")),
            altering(TOPIC, "gone", config("retention.ms", 0, "1"))));
    assertEquals("1", set().get("retention.ms"));
    assertEquals(List.of(42), alter(1, altering(TOPIC, "orders", config("retention.ms", 0, null))));
  }

  @Test
  void t18TheOldApiReplacesAll() {
    alter(1, altering(TOPIC, "orders", config("retention.ms", 0, "1")));
    for (int version = 0; version <= ApiKeys.ALTER_CONFIGS.latestVersion(); version++) {
      var configs = new AlterConfigsRequestData.AlterableConfigCollection();
      configs.add(
          new AlterConfigsRequestData.AlterableConfig().setName("segment.bytes").setValue("7"));
      var resources = new AlterConfigsRequestData.AlterConfigsResourceCollection();
      resources.add(
          new AlterConfigsRequestData.AlterConfigsResource()
              .setResourceType(TOPIC)
              .setResourceName("orders")
              .setConfigs(configs));
      resources.add(
          new AlterConfigsRequestData.AlterConfigsResource()
              .setResourceType((byte) 8)
              .setResourceName("1"));
      AlterConfigsResponseData answer =
          new RecordingExchange(ApiKeys.ALTER_CONFIGS, version)
              .ask(apis, new AlterConfigsRequestData().setResources(resources))
              .response();
      assertEquals(0, answer.responses().getFirst().errorCode());
      assertNull(answer.responses().getFirst().errorMessage());
      assertEquals(42, answer.responses().get(1).errorCode());
      assertEquals(Map.of("segment.bytes", "7"), set());
    }
  }

  private List<String> list(int version, Byte... types) {
    ListConfigResourcesRequestData request = new ListConfigResourcesRequestData();
    if (version >= 1) {
      request.setResourceTypes(List.of(types));
    }
    ListConfigResourcesResponseData answer =
        new RecordingExchange(ApiKeys.LIST_CONFIG_RESOURCES, version).ask(apis, request).response();
    return answer.configResources().stream()
        .map(one -> one.resourceType() + ":" + one.resourceName())
        .toList();
  }

  @Test
  void listsResourcesThatHaveConfigs() {
    alter(
        1,
        altering(16, "metrics", config("interval.ms", 0, "1")),
        altering(32, "group", config("a", 0, "1")));
    assertEquals(List.of("16:metrics"), list(0));
    assertEquals(List.of("2:orders", "4:1", "8:1", "16:metrics", "32:group"), list(1));
    assertEquals(List.of("32:group"), list(1, (byte) 32));
    assertEquals(
        ErrorCode.UNSUPPORTED_VERSION,
        new RecordingExchange(ApiKeys.LIST_CONFIG_RESOURCES, 1)
            .ask(apis, new ListConfigResourcesRequestData().setResourceTypes(List.of((byte) 3)))
            .refusal());
  }
}
