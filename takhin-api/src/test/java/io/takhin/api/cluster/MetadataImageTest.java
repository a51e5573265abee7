package io.takhin.api.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MetadataImageTest {
  private static final UUID A = new UUID(0, 1);
  private static final UUID B = new UUID(0, 2);
  private static final PartitionState STATE = new PartitionState(List.of(1), List.of(1), 1, 0, 0);
  private static final ConfigResource TOPIC_A = new ConfigResource(ConfigResource.Type.TOPIC, "a");

  @Test
  void topicsComeWithTheirPartitionsAndGoWithTheirConfigs() {
    MetadataImage made =
        MetadataImage.EMPTY.apply(
            List.of(
                new TopicCreated(A, "a"),
                new PartitionChanged(A, 0, STATE),
                new PartitionChanged(A, 1, STATE),
                new ConfigChanged(TOPIC_A, "retention.ms", "5")));
    assertEquals(4, made.offset());
    assertEquals(2, assertNotNullTopic(made, "a").partitions().size());
    assertSame(made.topic("a"), made.topic(A));
    assertEquals(Map.of("retention.ms", "5"), made.config(TOPIC_A));

    MetadataImage gone = made.apply(List.of(new TopicDeleted(A)));
    assertNull(gone.topic("a"));
    assertNull(gone.topic(A));
    assertEquals(Map.of(), gone.config(TOPIC_A));
    assertNotNull(made.topic("a"), "the older image stays as it was");
  }

  @Test
  void aTopicMadeAndDeletedInOneChangeLeavesNothing() {
    MetadataImage image =
        MetadataImage.EMPTY.apply(
            List.of(
                new TopicCreated(A, "a"), new PartitionChanged(A, 0, STATE), new TopicDeleted(A)));
    assertEquals(Map.of(), image.topicsByName());
    assertEquals(3, image.offset());
  }

  @Test
  void whatAChangeDoesNotTouchIsShared() {
    MetadataImage one =
        MetadataImage.EMPTY.apply(List.of(new TopicCreated(A, "a"), new TopicCreated(B, "b")));
    MetadataImage two = one.apply(List.of(new PartitionChanged(A, 0, STATE)));
    assertSame(one.topic(B), two.topic(B));
    assertSame(
        two.topicsByName(), two.apply(List.of(new ProducerIdsAllocated(1, 9))).topicsByName());
  }

  @Test
  void takingTheLastConfigAwayRemovesTheResource() {
    MetadataImage image =
        MetadataImage.EMPTY.apply(
            List.of(
                new TopicCreated(A, "a"),
                new ConfigChanged(TOPIC_A, "retention.ms", "5"),
                new ConfigChanged(TOPIC_A, "retention.ms", null)));
    assertEquals(Map.of(), image.configs());
  }

  @Test
  void recordsAboutWhatIsNotThereAreRefused() {
    assertThrows(
        IllegalStateException.class, () -> MetadataImage.EMPTY.apply(List.of(new TopicDeleted(A))));
    assertThrows(
        IllegalStateException.class,
        () ->
            MetadataImage.EMPTY.apply(
                List.of(new TopicCreated(A, "a"), new PartitionChanged(A, 1, STATE))));
  }

  private static MetadataImage.TopicImage assertNotNullTopic(MetadataImage image, String name) {
    MetadataImage.TopicImage topic = image.topic(name);
    assertNotNull(topic);
    return topic;
  }
}
