package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigChanges.Change;
import io.takhin.api.cluster.ConfigChanges.Op;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigEntry.Source;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What changes of configs come to, and which value is then in force.
class ConfigDecisionsTest {
  private static final ConfigResource TOPIC = resource(ConfigResource.Type.TOPIC, "t");
  private static final ConfigResource ALL = resource(ConfigResource.Type.BROKER, "");
  private static final ConfigResource SELF = resource(ConfigResource.Type.BROKER, "1");

  private final StaticConfigs statics =
      StaticConfigs.of(
          TestClusters.config(Path.of("data")),
          new LogConfigBuilder().retentionMs(3_600_000).build(),
          Map.of("kafka.max.connections", "77", "kafka.auto.create.topics.enable", "true"));
  private final ConfigDecisions decisions = new ConfigDecisions(statics);
  private final ConfigView view = new ConfigView(1, statics);
  private MetadataImage image =
      MetadataImage.EMPTY.apply(
          List.of(
              new BrokerRegistered(new Broker(1, List.of(), null)),
              new TopicCreated(UUID.randomUUID(), "t")));

  private static ConfigResource resource(ConfigResource.Type type, String name) {
    return new ConfigResource(type, name);
  }

  private Result alter(ConfigResource resource, String key, Op op, @Nullable String value) {
    Decision<List<Result>> decision =
        decisions.alter(
            image,
            List.of(new ConfigChanges(resource, List.of(new Change(key, op, value)), false)),
            false);
    image = image.apply(decision.records());
    return decision.result().getFirst();
  }

  private ConfigEntry entry(ConfigResource resource, String key) {
    List<ConfigEntry> entries = view.describe(image, resource, List.of(key));
    assertNotNull(entries);
    assertEquals(1, entries.size(), entries.toString());
    return entries.getFirst();
  }

  @ParameterizedTest
  @CsvSource({
    "TOPIC, t, retention.ms, 5, NONE",
    "TOPIC, t, retention.ms, abc, INVALID_CONFIG",
    "TOPIC, t, retention.ms, -2, INVALID_CONFIG",
    "TOPIC, t, no.such, 1, INVALID_CONFIG",
    "TOPIC, other, retention.ms, 5, UNKNOWN_TOPIC_OR_PARTITION",
    "TOPIC, t, message.downconversion.enable, false, INVALID_CONFIG",
    "BROKER, '', log.retention.ms, 5, NONE",
    "BROKER, 1, log.retention.ms, 5, NONE",
    "BROKER, 9, log.retention.ms, 5, BROKER_ID_NOT_REGISTERED",
    "BROKER, x, log.retention.ms, 5, INVALID_REQUEST",
    "BROKER, 01, log.retention.ms, 5, INVALID_REQUEST",
    "BROKER, '', log.retention.ms, -7, INVALID_CONFIG",
    "BROKER, '', num.io.threads, 5, INVALID_REQUEST",
    "BROKER, '', log.retention.hours, 5, INVALID_REQUEST",
    "BROKER, '', no.such, 5, INVALID_CONFIG",
    "BROKER_LOGGER, 1, root, DEBUG, INVALID_REQUEST",
    "GROUP, g, consumer.session.timeout.ms, 50000, NONE",
    "GROUP, g, consumer.session.timeout.ms, 5, INVALID_CONFIG",
    "GROUP, g, no.such, 5, INVALID_CONFIG",
    "GROUP, '', consumer.session.timeout.ms, 50000, INVALID_GROUP_ID",
    "GROUP, g, share.auto.offset.reset, by_duration:PT1H, NONE",
    "GROUP, g, share.auto.offset.reset, by_duration:1h, INVALID_CONFIG",
    "CLIENT_METRICS, m, interval.ms, 30000, NONE",
    "CLIENT_METRICS, m, interval.ms, 5, INVALID_CONFIG",
    "CLIENT_METRICS, m, match, client_id=a.*, NONE",
    "CLIENT_METRICS, m, match, colour=red, INVALID_CONFIG",
    "CLIENT_METRICS, m, match, client_id=[, INVALID_CONFIG",
    "CLIENT_METRICS, m, metrics, org.apache.kafka.producer., NONE",
  })
  void valuesAreCheckedT18(
      ConfigResource.Type type, String name, String key, String value, ErrorCode expected) {
    Result result = alter(resource(type, name), key, Op.SET, value);
    assertEquals(expected, result.error(), result.toString());
    assertEquals(
        expected == ErrorCode.NONE ? Map.of(key, value) : Map.of(),
        image.config(resource(type, name)));
  }

  @Test
  void listsAppendAndSubtractFromWhatIsInForceT18() {
    alter(TOPIC, "cleanup.policy", Op.APPEND, "compact");
    assertEquals("delete,compact", image.config(TOPIC).get("cleanup.policy"));
    alter(TOPIC, "cleanup.policy", Op.APPEND, "compact");
    assertEquals("delete,compact", image.config(TOPIC).get("cleanup.policy"));
    alter(TOPIC, "cleanup.policy", Op.SUBTRACT, "delete");
    assertEquals("compact", image.config(TOPIC).get("cleanup.policy"));
    assertEquals(ErrorCode.INVALID_CONFIG, alter(TOPIC, "retention.ms", Op.APPEND, "1").error());
  }

  @Test
  void nothingIsWrittenForWhatIsSoAlready() {
    alter(TOPIC, "retention.ms", Op.SET, "5");
    long offset = image.offset();
    assertEquals(Result.OK, alter(TOPIC, "retention.ms", Op.SET, "5"));
    assertEquals(Result.OK, alter(TOPIC, "flush.ms", Op.DELETE, null));
    assertEquals(offset, image.offset());
  }

  @Test
  void compactionLagsHaveToFitEachOther() {
    assertEquals(Result.OK, alter(TOPIC, "min.compaction.lag.ms", Op.SET, "100"));
    assertEquals(
        ErrorCode.INVALID_CONFIG, alter(TOPIC, "max.compaction.lag.ms", Op.SET, "99").error());
  }

  @Test
  void theMostSpecificValueIsInForceT17() {
    ConfigEntry configured = entry(TOPIC, "retention.ms");
    assertEquals("3600000", configured.value());
    assertEquals(Source.STATIC_BROKER_CONFIG, configured.source());
    assertEquals(
        List.of(Source.STATIC_BROKER_CONFIG, Source.DEFAULT_CONFIG),
        configured.synonyms().stream().map(ConfigEntry.Synonym::source).toList());
    assertEquals(Source.DEFAULT_CONFIG, entry(TOPIC, "segment.bytes").source());

    alter(ALL, "log.retention.ms", Op.SET, "300");
    assertEquals(Source.DYNAMIC_DEFAULT_BROKER_CONFIG, entry(TOPIC, "retention.ms").source());
    assertEquals("300", view.topicConfig(image, "t").get("retention.ms"));
    alter(SELF, "log.retention.ms", Op.SET, "200");
    assertEquals(Source.DYNAMIC_BROKER_CONFIG, entry(TOPIC, "retention.ms").source());
    assertEquals("200", view.topicConfig(image, "t").get("retention.ms"));
    alter(TOPIC, "retention.ms", Op.SET, "100");
    assertEquals(Source.DYNAMIC_TOPIC_CONFIG, entry(TOPIC, "retention.ms").source());
    assertEquals("100", view.topicConfig(image, "t").get("retention.ms"));
    assertEquals(
        List.of(
            "retention.ms=100",
            "log.retention.ms=200",
            "log.retention.ms=300",
            "log.retention.ms=3600000",
            "log.retention.ms=604800000"),
        entry(TOPIC, "retention.ms").synonyms().stream()
            .map(synonym -> synonym.name() + "=" + synonym.value())
            .toList());
  }

  @Test
  void aBrokerShowsEveryKeyOfKafkaT70() {
    List<ConfigEntry> entries = view.describe(image, SELF, null);
    assertNotNull(entries);
    assertTrue(entries.size() > 300, "only " + entries.size());
    assertEquals("1", entry(SELF, "node.id").value());
    assertEquals("PLAINTEXT://localhost:9092", entry(SELF, "advertised.listeners").value());
    assertEquals("true", entry(SELF, "delete.topic.enable").value());
    assertEquals("3600000", entry(SELF, "log.retention.ms").value());
    assertEquals("1", entry(SELF, "log.retention.hours").value());
    assertTrue(entry(SELF, "num.io.threads").readOnly());
    assertTrue(!entry(SELF, "log.retention.ms").readOnly());
    assertTrue(entry(SELF, "ssl.keystore.password").sensitive());
    assertNull(entry(SELF, "ssl.keystore.password").value());
    assertEquals(List.of(), view.describe(image, ALL, null));
    assertNull(view.describe(image, resource(ConfigResource.Type.BROKER, "2"), null));
  }

  @Test
  void groupsShowTheirDefaults() {
    ConfigResource group = resource(ConfigResource.Type.GROUP, "g");
    assertEquals("45000", entry(group, "consumer.session.timeout.ms").value());
    alter(group, "consumer.session.timeout.ms", Op.SET, "50000");
    assertEquals("50000", entry(group, "consumer.session.timeout.ms").value());
    assertEquals(Source.GROUP_CONFIG, entry(group, "consumer.session.timeout.ms").source());
  }

  @Test
  void aResourceTwiceInARequestFailsBoth() {
    ConfigChanges change =
        new ConfigChanges(TOPIC, List.of(new Change("retention.ms", Op.SET, "5")), false);
    assertEquals(
        List.of(ErrorCode.INVALID_REQUEST, ErrorCode.INVALID_REQUEST),
        decisions.alter(image, List.of(change, change), false).result().stream()
            .map(Result::error)
            .toList());
  }

  @Test
  void brokerKeysThatOtherPluginsOwnShowWhatIsConfigured() {
    ConfigEntry connections =
        java.util.Objects.requireNonNull(view.describe(image, SELF, List.of("max.connections")))
            .getFirst();
    assertEquals("77", connections.value());
    assertEquals(Source.STATIC_BROKER_CONFIG, connections.source());
  }
}
