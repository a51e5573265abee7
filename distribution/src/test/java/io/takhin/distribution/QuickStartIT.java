package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The user manual, sections 1.2, 1.3, 4.1 to 4.4 and the FAQ's offset reset, with the commands
/// that it shows: Apache Kafka's own tools against a broker with embedded defaults.
class QuickStartIT {
  private static Broker broker;
  private static KafkaTools kafka;

  @BeforeAll
  static void start() {
    broker = Broker.started();
    kafka = new KafkaTools(broker);
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  @Test
  void theFirstTopicAppearsByProducingToIt() throws Exception {
    assertEquals(200, Broker.http(broker.metricsPort(), "/metrics").status());
    kafka.consoleProducer("Hello Takhin!\n", "--topic", "quickstart-topic").succeeded();
    Command consumed =
        kafka
            .consoleConsumer(
                "--topic", "quickstart-topic", "--from-beginning", "--max-messages", "1")
            .succeeded();
    assertEquals("Hello Takhin!", consumed.out().strip());
  }

  @Test
  void topicsAreCreatedListedDescribedAndDeleted() {
    String created =
        kafka
            .topics(
                "--create",
                "--topic",
                "my-topic",
                "--partitions",
                "3",
                "--replication-factor",
                "1",
                "--config",
                "retention.ms=86400000")
            .succeeded()
            .out();
    assertTrue(created.contains("Created topic my-topic."), created);
    List<String> topics = kafka.topics("--list").succeeded().out().lines().toList();
    assertTrue(topics.contains("my-topic"), topics::toString);
    String described = kafka.topics("--describe", "--topic", "my-topic").succeeded().out();
    assertTrue(described.contains("PartitionCount: 3"), described);
    assertTrue(described.contains("ReplicationFactor: 1"), described);
    assertTrue(described.contains("retention.ms=86400000"), described);
    assertEquals(
        3, Pattern.compile("Leader: 1\tReplicas: 1\tIsr: 1").matcher(described).results().count());

    Command again = kafka.topics("--create", "--topic", "my-topic");
    assertTrue(again.code() != 0 && again.all().contains("already exists"), again::all);

    kafka.topics("--delete", "--topic", "my-topic").succeeded();
    Await.until(
        Duration.ofSeconds(20),
        () -> "my-topic is still listed",
        () -> !kafka.topics("--list").succeeded().out().lines().toList().contains("my-topic"));
  }

  @Test
  void keysAndValuesAreProducedAndShown() {
    broker.createTopic("with-keys", 3, Map.of());
    kafka
        .consoleProducer(
            "user123:{\"name\":\"Alice\",\"age\":30}\nuser456:{\"name\":\"Bob\"}\n",
            "--topic",
            "with-keys",
            "--property",
            "parse.key=true",
            "--property",
            "key.separator=:")
        .succeeded();
    List<String> consumed =
        kafka
            .consoleConsumer(
                "--topic",
                "with-keys",
                "--from-beginning",
                "--max-messages",
                "2",
                "--property",
                "print.key=true",
                "--property",
                "key.separator= : ")
            .succeeded()
            .out()
            .lines()
            // The tool warns on standard output that the manual's --property has a newer name.
            .filter(line -> line.startsWith("user"))
            .sorted()
            .toList();
    assertEquals(
        List.of("user123 : {\"name\":\"Alice\",\"age\":30}", "user456 : {\"name\":\"Bob\"}"),
        consumed);
  }

  @Test
  void aGroupIsListedDescribedWithItsLagAndReset() {
    broker.createTopic("for-groups", 1, Map.of());
    kafka.consoleProducer("a\nb\nc\nd\ne\n", "--topic", "for-groups").succeeded();
    kafka
        .consoleConsumer(
            "--topic",
            "for-groups",
            "--group",
            "my-consumer-group",
            "--from-beginning",
            "--max-messages",
            "3")
        .succeeded();
    List<String> groups = kafka.consumerGroups("--list").succeeded().out().lines().toList();
    assertTrue(groups.contains("my-consumer-group"), groups::toString);
    String described = describe("my-consumer-group");
    assertTrue(
        Pattern.compile("my-consumer-group +for-groups +0 +3 +5 +2 ").matcher(described).find(),
        described);
    String reset =
        kafka
            .consumerGroups(
                "--reset-offsets",
                "--group",
                "my-consumer-group",
                "--topic",
                "for-groups",
                "--to-earliest",
                "--execute")
            .succeeded()
            .out();
    assertTrue(Pattern.compile("my-consumer-group +for-groups +0 +0").matcher(reset).find(), reset);
    assertEquals(
        "a\nb\nc\nd\ne\n",
        kafka
            .consoleConsumer(
                "--topic", "for-groups", "--group", "my-consumer-group", "--max-messages", "5")
            .succeeded()
            .out());
    assertTrue(
        Pattern.compile("my-consumer-group +for-groups +0 +5 +5 +0 ")
            .matcher(describe("my-consumer-group"))
            .find());
    kafka.consumerGroups("--delete", "--group", "my-consumer-group").succeeded();
    assertFalse(
        kafka
            .consumerGroups("--list")
            .succeeded()
            .out()
            .lines()
            .toList()
            .contains("my-consumer-group"));
  }

  private static String describe(String group) {
    return kafka.consumerGroups("--describe", "--group", group).succeeded().out();
  }

  @Test
  void aTopicsConfigurationIsAlteredAndDescribed() {
    broker.createTopic("configured", 1, Map.of());
    kafka
        .configs(
            "--alter",
            "--entity-type",
            "topics",
            "--entity-name",
            "configured",
            "--add-config",
            "max.message.bytes=2000000")
        .succeeded();
    String described =
        kafka
            .configs("--describe", "--entity-type", "topics", "--entity-name", "configured")
            .succeeded()
            .out();
    assertTrue(described.contains("max.message.bytes=2000000"), described);
    Command bad =
        kafka.configs(
            "--alter",
            "--entity-type",
            "topics",
            "--entity-name",
            "configured",
            "--add-config",
            "retention.ms=abc");
    assertTrue(bad.all().contains("nvalid"), bad::all);
  }
}
