package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.Wanted.wanted;
import static io.takhin.distribution.differential.TopicRequests.createTopics;
import static io.takhin.distribution.differential.TopicRequests.delete;
import static io.takhin.distribution.differential.TopicRequests.deleteById;
import static io.takhin.distribution.differential.TopicRequests.describePartitions;
import static io.takhin.distribution.differential.TopicRequests.grow;
import static io.takhin.distribution.differential.TopicRequests.metadata;
import static io.takhin.distribution.differential.TopicRequests.metadataById;
import static io.takhin.distribution.differential.TopicRequests.topic;

import io.takhin.distribution.differential.TopicRequests.Wanted;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.protocol.ApiKeys;

/// Topics: metadata, creation, growth, deletion.
final class TopicScripts {
  private static final GroupRequests.As NOBODY = GroupRequests.As.member("g", "").generation(-1);

  private TopicScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.METADATA)) {
      all.add(metadataOf(v));
    }
    all.add(metadataIds());
    for (int v : versions(ApiKeys.CREATE_TOPICS)) {
      all.add(creation(v));
      all.add(assignment(v));
      all.add(configured(v));
    }
    all.add(twice());
    for (int v : versions(ApiKeys.DELETE_TOPICS)) {
      all.add(deletion(v));
    }
    all.add(deletionById());
    for (int v : versions(ApiKeys.CREATE_PARTITIONS)) {
      all.add(growth(v));
    }
    all.add(pages());
    all.add(internal());
    return all;
  }

  private static Script metadataOf(int v) {
    return Script.named("metadata v" + v)
        .step(topic("a", 3))
        .step(metadata(v, false, "a"))
        .step(metadata(v, false, "a", "missing"))
        .step(metadata(v, false, "a", "a"))
        .step(metadata(v, false, "!"))
        .step(metadata(v, false, "!."))
        .step(metadata(v, false, "!bad name"))
        .step(metadata(v, true, "!bad/name"))
        .step(metadata(v, false, "!" + "x".repeat(250)))
        .step(metadata(v, true, "!" + "x".repeat(250)))
        .step(metadata(Math.max(v, 1), false))
        .build();
  }

  private static Script metadataIds() {
    return Script.named("T12 metadata by topic id")
        .step(topic("a", 1))
        .step(metadataById(12, "a"))
        .step(metadataById(12, "missing"))
        .step(metadataById(13, "a", "missing"))
        .step(metadataById(10, "a"))
        .step(metadataById(11, "a"))
        .ask(
            ApiKeys.METADATA,
            12,
            s ->
                new MetadataRequestData()
                    .setTopics(
                        List.of(
                            new MetadataRequestData.MetadataRequestTopic()
                                .setName(s.name("a"))
                                .setTopicId(s.topicId("a")))))
        .ask(
            ApiKeys.METADATA,
            12,
            _ ->
                new MetadataRequestData()
                    .setTopics(
                        List.of(new MetadataRequestData.MetadataRequestTopic().setName(null))))
        .build();
  }

  private static Script creation(int v) {
    return Script.named("T15 creation v" + v)
        .step(createTopics(v, true, wanted("a", 2)))
        .step(metadata(4, false, "a"))
        .step(createTopics(v, false, wanted("a", 2)))
        .step(createTopics(v, false, wanted("a", 2)))
        .step(createTopics(v, true, wanted("a", 2)))
        .step(createTopics(v, false, wanted("b", 0)))
        .step(createTopics(v, false, wanted("b", -2)))
        .step(createTopics(v, false, wanted("b", 1).replicas(0)))
        .step(createTopics(v, false, wanted("b", 1).replicas(-2)))
        .step(createTopics(v, false, wanted("b", -2).replicas(0)))
        .step(createTopics(v, false, wanted("b", 0).replicas(3)))
        .step(createTopics(v, false, wanted("b", 1).replicas(3)))
        .step(createTopics(v, true, wanted("b", -1)))
        .step(createTopics(v, true, wanted("b", 1).replicas(-1)))
        .step(createTopics(v, true, wanted("b", -1).replicas(-1)))
        .step(createTopics(v, true, wanted("!", 1)))
        .step(createTopics(v, true, wanted("!.", 1)))
        .step(createTopics(v, true, wanted("!..", 1)))
        .step(createTopics(v, true, wanted("!a b", 1)))
        .step(createTopics(v, true, wanted("!" + "n".repeat(249), 1)))
        .step(createTopics(v, true, wanted("!" + "n".repeat(250), 1)))
        .step(createTopics(v, true, wanted("b", 1), wanted("!a b", 1), wanted("a", 1)))
        .step(createTopics(v, false))
        .build();
  }

  private static Script assignment(int v) {
    return Script.named("T15 assigned by hand v" + v)
        .step(createTopics(v, false, wanted("a", 0).assigned(List.of(List.of(1), List.of(1)))))
        .step(metadata(7, false, "a"))
        .step(createTopics(v, true, wanted("b", 0).assigned(List.of(List.of(2)))))
        .step(createTopics(v, true, wanted("b", 0).assigned(List.of(List.of(1, 1)))))
        .step(createTopics(v, true, wanted("b", 0).assigned(List.of(List.of()))))
        .step(createTopics(v, true, wanted("b", 0).assigned(List.of(List.of(1), List.of(1, 2)))))
        .step(createTopics(v, true, new Wanted("b", 1, 1, java.util.Map.of(), List.of(List.of(1)))))
        .step(
            createTopics(v, true, new Wanted("b", 1, -1, java.util.Map.of(), List.of(List.of(1)))))
        .step(gap(v))
        .build();
  }

  private static Step gap(int v) {
    return Requests.ask(
        ApiKeys.CREATE_TOPICS,
        v,
        s -> {
          CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
          var topic =
              new CreateTopicsRequestData.CreatableTopic()
                  .setName(s.name("gap"))
                  .setNumPartitions(-1)
                  .setReplicationFactor((short) -1);
          topic
              .assignments()
              .add(
                  new CreateTopicsRequestData.CreatableReplicaAssignment()
                      .setPartitionIndex(1)
                      .setBrokerIds(List.of(1)));
          request.topics().add(topic);
          return request;
        });
  }

  private static Script configured(int v) {
    return Script.named("T17 creation with configs v" + v)
        .step(createTopics(v, false, wanted("a", 1).config("retention.ms", "1000")))
        .step(createTopics(v, true, wanted("b", 1).config("retention.ms", "abc")))
        .step(createTopics(v, true, wanted("b", 1).config("retention.ms", "-2")))
        .step(createTopics(v, true, wanted("b", 1).config("no.such.key", "1")))
        .step(createTopics(v, true, wanted("b", 1).config("cleanup.policy", "compact,delete")))
        .step(createTopics(v, true, wanted("b", 1).config("cleanup.policy", "shred")))
        .step(createTopics(v, true, wanted("b", 1).config("compression.type", "zstd")))
        .step(createTopics(v, true, wanted("b", 1).config("compression.type", "rar")))
        .step(createTopics(v, true, wanted("b", 1).config("segment.bytes", "1")))
        .step(createTopics(v, true, wanted("b", 1).config("min.insync.replicas", "0")))
        .step(createTopics(v, true, wanted("b", 1).config("max.message.bytes", "-1")))
        .step(
            createTopics(v, true, wanted("b", 1).config("message.timestamp.type", "LogAppendTime")))
        .step(createTopics(v, true, wanted("b", 1).config("", "1")))
        .step(createTopics(v, true, wanted("b", 1).config("remote.storage.enable", "true")))
        .build();
  }

  private static Script twice() {
    return Script.named("T15 the same topic twice, names that collide")
        .ask(
            ApiKeys.CREATE_TOPICS,
            5,
            s -> {
              CreateTopicsRequestData request = new CreateTopicsRequestData().setTimeoutMs(10_000);
              for (int i = 0; i < 2; i++) {
                request
                    .topics()
                    .mustAdd(
                        new CreateTopicsRequestData.CreatableTopic()
                            .setName(s.name("a"))
                            .setNumPartitions(1 + i)
                            .setReplicationFactor((short) 1));
              }
              request
                  .topics()
                  .mustAdd(
                      new CreateTopicsRequestData.CreatableTopic()
                          .setName(s.name("b"))
                          .setNumPartitions(1)
                          .setReplicationFactor((short) 1));
              return request;
            })
        .step(createTopics(5, false, wanted("x.y", 1)))
        .step(createTopics(5, false, wanted("x_y", 1)))
        .step(createTopics(5, false, wanted("z_y", 1), wanted("z.y", 1)))
        .step(metadata(9, true, "x_y"))
        .build();
  }

  private static Script deletion(int v) {
    return Script.named("deletion v" + v)
        .step(topic("a", 2))
        .step(topic("b", 1))
        .step(delete(v, "missing"))
        .step(delete(v, "a", "missing"))
        .step(metadata(9, false, "a"))
        .step(delete(v, "a"))
        .step(delete(v, "b", "b"))
        .step(delete(v, "!"))
        .step(delete(v))
        .step(topic("a", 1))
        .step(metadata(12, false, "a"))
        .build();
  }

  private static Script deletionById() {
    return Script.named("T12 deletion by id")
        .step(topic("a", 1))
        .step(deleteById("missing"))
        .step(deleteById("a", "missing"))
        .step(deleteById("a"))
        .step(topic("a", 1))
        .step(metadata(12, false, "a"))
        .ask(
            ApiKeys.DELETE_TOPICS,
            6,
            s ->
                new DeleteTopicsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(
                        List.of(
                            new DeleteTopicsRequestData.DeleteTopicState()
                                .setName(s.name("a"))
                                .setTopicId(s.topicId("a")))))
        .ask(
            ApiKeys.DELETE_TOPICS,
            6,
            _ ->
                new DeleteTopicsRequestData()
                    .setTimeoutMs(10_000)
                    .setTopics(
                        List.of(new DeleteTopicsRequestData.DeleteTopicState().setName(null))))
        .step(deleteById("a", "a"))
        .step(metadata(12, false, "a"))
        .build();
  }

  private static Script growth(int v) {
    return Script.named("partitions v" + v)
        .step(topic("a", 2))
        .step(grow(v, true, "a", 4, null))
        .step(metadata(9, false, "a"))
        .step(grow(v, false, "a", 4, null))
        .step(metadata(9, false, "a"))
        .step(grow(v, false, "a", 4, null))
        .step(grow(v, false, "a", 3, null))
        .step(grow(v, false, "a", 0, null))
        .step(grow(v, false, "a", -1, null))
        .step(grow(v, false, "missing", 4, null))
        .step(grow(v, false, "a", 6, List.of(List.of(1), List.of(1))))
        .step(grow(v, false, "a", 7, List.of(List.of(1), List.of(1))))
        .step(grow(v, false, "a", 7, List.of(List.of(5))))
        .step(grow(v, false, "a", 7, List.of(List.of(1, 1))))
        .step(grow(v, false, "a", 7, List.of(List.of())))
        .step(grow(v, false, "a", 7, List.of()))
        .step(grow(v, false, "!", 7, null))
        .step(metadata(9, false, "a"))
        .build();
  }

  private static Script pages() {
    return Script.named("T19 topics in pages")
        .step(topic("a", 3))
        .step(topic("b", 3))
        .step(describePartitions(2_000, null, 0, "a", "b"))
        .step(describePartitions(4, null, 0, "a", "b"))
        .step(describePartitions(4, "b", 1, "a", "b"))
        .step(describePartitions(1, "a", 0, "a", "b"))
        .step(describePartitions(3, null, 0, "a", "b"))
        .step(describePartitions(2_000, "a", 9, "a", "b"))
        .step(describePartitions(2_000, "ab", 0, "a", "b"))
        .step(describePartitions(2_000, "a", -1, "a", "b"))
        .step(describePartitions(0, null, 0, "a"))
        .step(describePartitions(2_000, null, 0, "missing"))
        .step(describePartitions(2_000, null, 0, "!bad name", "a"))
        .step(describePartitions(2_000, null, 0, "a", "a"))
        .build();
  }

  private static Script internal() {
    return Script.named("T69 internal topics")
        .step(topic("a", 1))
        // Makes the topic.
        .step(GroupRequests.coordinator(2, 0, "g"))
        .step(GroupRequests.commit(2, NOBODY, "a", 0, 1, ""))
        .step(LogRequests.produce(9, "!__consumer_offsets", 0, "x"))
        .step(
            LogRequests.produce(
                9, -1, null, "!__consumer_offsets", 0, _ -> Batch.of("x").records()))
        .step(LogRequests.deleteRecords(2, "!__consumer_offsets", 0, 0))
        .step(createTopics(7, false, wanted("!__consumer_offsets", 1)))
        .step(grow(3, true, "!__consumer_offsets", 60, null))
        .build();
  }
}
