package io.takhin.testkit.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.FeatureUpdate;
import io.takhin.api.cluster.Cluster.NewPartitions;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.ProducerIdBlock;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.ConfigChanges;
import io.takhin.api.cluster.ConfigChanges.Change;
import io.takhin.api.cluster.ConfigChanges.Op;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What every cluster does. A subclass makes one of a single broker and no topics, in which a topic
/// that does not say has one partition and one replica.
public abstract class ClusterContract {
  private static final long WAIT_SECONDS = 30;

  private Cluster cluster = new InMemoryCluster();

  /// For subclasses.
  protected ClusterContract() {}

  /// A started cluster.
  protected abstract Cluster open() throws Exception;

  /// Ends it.
  protected void close(Cluster opened) throws Exception {
    opened.close();
  }

  @BeforeEach
  final void openCluster() throws Exception {
    cluster = open();
  }

  @AfterEach
  final void closeCluster() throws Exception {
    close(cluster);
  }

  private static <T> T await(CompletableFuture<T> future) {
    return future.orTimeout(WAIT_SECONDS, TimeUnit.SECONDS).join();
  }

  private static NewTopic topic(String name, int partitions) {
    return new NewTopic(name, partitions, (short) -1, Map.of(), Map.of());
  }

  private TopicResult create(NewTopic topic) {
    return await(cluster.createTopics(List.of(topic), false)).getFirst();
  }

  private TopicImage image(String topic) {
    TopicImage image = cluster.image().topic(topic);
    assertNotNull(image, topic);
    return image;
  }

  private static ConfigResource resource(String topic) {
    return new ConfigResource(ConfigResource.Type.TOPIC, topic);
  }

  private Result alter(String topic, String key, Op op, @Nullable String value) {
    ConfigChanges changes =
        new ConfigChanges(resource(topic), List.of(new Change(key, op, value)), false);
    return await(cluster.alterConfigs(List.of(changes), false)).getFirst();
  }

  @Test
  void thisBrokerIsInItsImageWithAnAddress() {
    MetadataRecord.Broker self = cluster.image().brokers().get(cluster.nodeId());
    assertNotNull(self);
    assertFalse(self.endpoints().isEmpty());
    assertEquals(22, cluster.clusterId().length());
    assertEquals(cluster.clusterId(), cluster.image().clusterId());
  }

  private Result finalize(int level, boolean downgrade, boolean validateOnly) {
    FeatureUpdate update = new FeatureUpdate("transaction.version", (short) level, downgrade);
    return await(cluster.updateFeatures(List.of(update), validateOnly)).getFirst();
  }

  @Test
  void aNewClusterHasAllFeaturesAtTheirHighestLevel() {
    assertEquals(Cluster.SUPPORTED_FEATURES, cluster.image().features());
    assertEquals(2, cluster.image().feature("transaction.version"));
    assertEquals(0, cluster.image().feature("streams.version"));
  }

  @Test
  void aFeatureGoesDownIfThatIsMeantAndUpAgain() {
    assertEquals(ErrorCode.INVALID_UPDATE_VERSION, finalize(0, false, false).error());
    assertEquals(Result.OK, finalize(0, true, true));
    assertEquals(2, cluster.image().feature("transaction.version"), "that was a question only");
    assertEquals(Result.OK, finalize(0, true, false));
    assertEquals(0, cluster.image().feature("transaction.version"));
    assertEquals(Result.OK, finalize(1, false, false));
    assertEquals(1, cluster.image().feature("transaction.version"));
  }

  @Test
  void oneFeatureThatCannotBeFinalizedStopsAll() {
    FeatureUpdate good = new FeatureUpdate("transaction.version", (short) 1, true);
    for (FeatureUpdate bad :
        List.of(
            new FeatureUpdate("transaction.version", (short) 3, true),
            new FeatureUpdate("transaction.version", (short) -1, true),
            new FeatureUpdate("no.version", (short) 1, true))) {
      List<Result> results = await(cluster.updateFeatures(List.of(good, bad), false));
      assertEquals(Result.OK, results.get(0));
      assertEquals(ErrorCode.INVALID_UPDATE_VERSION, results.get(1).error());
      assertEquals(2, cluster.image().feature("transaction.version"));
    }
  }

  @Test
  void aNewTopicIsInTheImageWithItsIdWhenTheFutureIsDone() {
    TopicResult result = create(topic("orders", 3));

    assertEquals(Result.OK, result.result());
    assertEquals(3, result.partitions());
    assertEquals(1, result.replicationFactor());
    assertFalse(result.configs().isEmpty());
    TopicImage image = image("orders");
    assertEquals(result.id(), image.id());
    assertEquals(image, cluster.image().topic(image.id()));
    assertEquals(3, image.partitions().size());
    assertEquals(cluster.nodeId(), image.partitions().getFirst().leader());
    assertEquals(List.of(cluster.nodeId()), image.partitions().getFirst().isr());
  }

  @Test
  void aTopicThatDoesNotSayHasTheDefaultsT15() {
    TopicResult result = create(topic("orders", -1));

    assertEquals(1, result.partitions());
    assertEquals(1, image("orders").partitions().size());
  }

  @Test
  void assignmentsAreTakenAsTheyAre() {
    Map<Integer, List<Integer>> assignments =
        Map.of(0, List.of(cluster.nodeId()), 1, List.of(cluster.nodeId()));

    TopicResult result = create(new NewTopic("manual", -1, (short) -1, assignments, Map.of()));

    assertEquals(Result.OK, result.result());
    assertEquals(2, image("manual").partitions().size());
  }

  @Test
  void whatIsWrongWithATopicIsInItsResultAndTheOthersAreMadeT15() {
    create(topic("there", 1));

    List<TopicResult> results =
        await(
            cluster.createTopics(
                List.of(
                    topic("there", 1),
                    topic("bad name", 1),
                    topic("none", 0),
                    new NewTopic("replicas", 1, (short) 5, Map.of(), Map.of()),
                    new NewTopic("config", 1, (short) 1, Map.of(), Map.of("no.such", "1")),
                    topic("good", 2)),
                false));

    assertEquals(
        List.of(
            ErrorCode.TOPIC_ALREADY_EXISTS,
            ErrorCode.INVALID_TOPIC_EXCEPTION,
            ErrorCode.INVALID_PARTITIONS,
            ErrorCode.INVALID_REPLICATION_FACTOR,
            ErrorCode.INVALID_CONFIG,
            ErrorCode.NONE),
        results.stream().map(result -> result.result().error()).toList());
    assertNull(results.getFirst().id());
    assertEquals(List.of("good", "there"), List.copyOf(cluster.image().topicsByName().keySet()));
  }

  @Test
  void validateOnlyChangesNothingT15() {
    long offset = cluster.image().offset();

    List<TopicResult> made = await(cluster.createTopics(List.of(topic("orders", 3)), true));

    assertEquals(Result.OK, made.getFirst().result());
    assertEquals(3, made.getFirst().partitions());
    assertEquals(offset, cluster.image().offset());
  }

  @Test
  void aTopicMadeAgainHasAnotherIdT12() {
    TopicResult first = create(topic("orders", 1));
    UUID id = first.id();
    assertNotNull(id);

    assertEquals(List.of(Result.OK), await(cluster.deleteTopics(List.of(id))));

    assertNull(cluster.image().topic("orders"));
    assertEquals(
        ErrorCode.UNKNOWN_TOPIC_ID, await(cluster.deleteTopics(List.of(id))).getFirst().error());
    assertNotEquals(id, create(topic("orders", 1)).id());
  }

  @Test
  void configsOfADeletedTopicAreGone() {
    create(new NewTopic("orders", 1, (short) 1, Map.of(), Map.of("retention.ms", "1234")));
    await(cluster.deleteTopics(List.of(image("orders").id())));
    create(topic("orders", 1));

    assertNotEquals("1234", cluster.topicConfig(cluster.image(), "orders").get("retention.ms"));
  }

  @Test
  void partitionsCanBeAddedAndNotTaken() {
    create(topic("orders", 2));

    assertEquals(Result.OK, partitions("orders", 5).getFirst());
    assertEquals(ErrorCode.INVALID_PARTITIONS, partitions("orders", 3).getFirst().error());
    assertEquals(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, partitions("nothing", 3).getFirst().error());
    assertEquals(5, image("orders").partitions().size());
  }

  private List<Result> partitions(String topic, int count) {
    return await(cluster.createPartitions(List.of(new NewPartitions(topic, count, null)), false));
  }

  @Test
  void aConfigIsSetAndSeenAndTakenAway() {
    create(topic("orders", 1));
    String before = cluster.topicConfig(cluster.image(), "orders").get("retention.ms");

    assertEquals(Result.OK, alter("orders", "retention.ms", Op.SET, "5000"));
    assertEquals("5000", cluster.topicConfig(cluster.image(), "orders").get("retention.ms"));
    assertEquals(ConfigEntry.Source.DYNAMIC_TOPIC_CONFIG, entry("orders", "retention.ms").source());

    assertEquals(Result.OK, alter("orders", "retention.ms", Op.DELETE, null));
    assertEquals(before, cluster.topicConfig(cluster.image(), "orders").get("retention.ms"));
    assertNotEquals(
        ConfigEntry.Source.DYNAMIC_TOPIC_CONFIG, entry("orders", "retention.ms").source());
  }

  private ConfigEntry entry(String topic, String key) {
    List<ConfigEntry> entries = cluster.describeConfigs(resource(topic), List.of(key));
    assertNotNull(entries);
    assertEquals(1, entries.size());
    return entries.getFirst();
  }

  @Test
  void listsGrowAndShrinkT18() {
    create(topic("orders", 1));

    assertEquals(Result.OK, alter("orders", "cleanup.policy", Op.APPEND, "compact"));
    assertEquals(
        "delete,compact", cluster.topicConfig(cluster.image(), "orders").get("cleanup.policy"));
    assertEquals(Result.OK, alter("orders", "cleanup.policy", Op.SUBTRACT, "delete"));
    assertEquals("compact", cluster.topicConfig(cluster.image(), "orders").get("cleanup.policy"));
  }

  @Test
  void replaceAllTakesAwayWhatIsNotNamedT18() {
    create(topic("orders", 1));
    alter("orders", "retention.ms", Op.SET, "5000");

    ConfigChanges changes =
        new ConfigChanges(
            resource("orders"), List.of(new Change("flush.messages", Op.SET, "7")), true);
    assertEquals(Result.OK, await(cluster.alterConfigs(List.of(changes), false)).getFirst());

    assertEquals(Map.of("flush.messages", "7"), cluster.image().config(resource("orders")));
  }

  @Test
  void anUnknownConfigIsRefusedAndChangesNothing() {
    create(topic("orders", 1));
    ConfigChanges changes =
        new ConfigChanges(
            resource("orders"),
            List.of(new Change("retention.ms", Op.SET, "5000"), new Change("no.such", Op.SET, "1")),
            false);

    Result result = await(cluster.alterConfigs(List.of(changes), false)).getFirst();

    assertEquals(ErrorCode.INVALID_CONFIG, result.error());
    assertTrue(cluster.image().config(resource("orders")).isEmpty());
  }

  @Test
  void whatIsNotThereCannotBeDescribed() {
    assertNull(cluster.describeConfigs(resource("nothing"), null));
  }

  @Test
  void producerIdBlocksDoNotOverlap() {
    ProducerIdBlock first = await(cluster.allocateProducerIds());
    ProducerIdBlock second = await(cluster.allocateProducerIds());

    assertTrue(first.size() > 0);
    assertEquals(first.first() + first.size(), second.first());
  }

  @Test
  void requestsFromManyThreadsAllTakeEffectOnce() {
    List<CompletableFuture<List<TopicResult>>> made = new ArrayList<>();
    List<CompletableFuture<ProducerIdBlock>> blocks = new ArrayList<>();
    List<Thread> threads = new ArrayList<>();
    List<CompletableFuture<List<TopicResult>>> results = Collections.synchronizedList(made);
    List<CompletableFuture<ProducerIdBlock>> ids = Collections.synchronizedList(blocks);
    for (int i = 0; i < 4; i++) {
      int thread = i;
      threads.add(
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int j = 0; j < 25; j++) {
                      results.add(
                          cluster.createTopics(List.of(topic("t-" + thread + "-" + j, 2)), false));
                      results.add(cluster.createTopics(List.of(topic("same-" + j, 1)), false));
                      ids.add(cluster.allocateProducerIds());
                    }
                  }));
    }
    for (Thread thread : threads) {
      joined(thread);
    }

    long successes =
        made.stream().filter(future -> await(future).getFirst().result().equals(Result.OK)).count();
    assertEquals(125, successes);
    assertEquals(125, cluster.image().topicsById().size());
    assertEquals(100, blocks.stream().map(future -> await(future).first()).distinct().count());
  }

  private static void joined(Thread thread) {
    try {
      thread.join(WAIT_SECONDS * 1000);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    assertFalse(thread.isAlive(), thread.getName());
  }

  @Test
  void aListenerOpensWhatWasMade() {
    create(topic("before", 1));
    List<String> seen = Collections.synchronizedList(new ArrayList<>());

    cluster.subscribe(
        (image, before, records) -> {
          for (String name : image.topicsByName().keySet()) {
            if (before.topic(name) == null) {
              seen.add(name);
            }
          }
        });
    create(topic("after", 1));

    assertEquals(List.of("before", "after"), seen);
  }
}
