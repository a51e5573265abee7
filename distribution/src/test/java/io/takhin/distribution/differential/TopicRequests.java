package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.ask;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Requests about topics.
final class TopicRequests {
  private TopicRequests() {}

  /// A topic to create.
  record Wanted(
      String name,
      int partitions,
      int replicas,
      Map<String, @Nullable String> configs,
      List<List<Integer>> assignments) {
    static Wanted wanted(String name, int partitions) {
      return new Wanted(name, partitions, 1, Map.of(), List.of());
    }

    Wanted replicas(int count) {
      return new Wanted(name, partitions, count, configs, assignments);
    }

    Wanted config(String key, String value) {
      return new Wanted(name, partitions, replicas, Map.of(key, value), assignments);
    }

    Wanted assigned(List<List<Integer>> replicasOfPartitions) {
      return new Wanted(name, -1, -1, configs, replicasOfPartitions);
    }
  }

  /// A topic with so many partitions, made in a version that does not tell its configuration.
  static Step topic(String name, int partitions) {
    return createTopics(4, false, Wanted.wanted(name, partitions));
  }

  static Step createTopics(int version, boolean validateOnly, Wanted... topics) {
    return ask(
        ApiKeys.CREATE_TOPICS,
        version,
        s -> {
          CreateTopicsRequestData request =
              new CreateTopicsRequestData().setTimeoutMs(10_000).setValidateOnly(validateOnly);
          for (Wanted wanted : topics) {
            CreatableTopic topic =
                new CreatableTopic()
                    .setName(s.name(wanted.name()))
                    .setNumPartitions(wanted.partitions())
                    .setReplicationFactor((short) wanted.replicas());
            wanted
                .configs()
                .forEach(
                    (key, value) ->
                        topic
                            .configs()
                            .add(
                                new CreateTopicsRequestData.CreatableTopicConfig()
                                    .setName(key)
                                    .setValue(value)));
            for (int i = 0; i < wanted.assignments().size(); i++) {
              topic
                  .assignments()
                  .add(
                      new CreateTopicsRequestData.CreatableReplicaAssignment()
                          .setPartitionIndex(i)
                          .setBrokerIds(wanted.assignments().get(i)));
            }
            request.topics().mustAdd(topic);
          }
          return request;
        });
  }

  static Step delete(int version, String... names) {
    return ask(
        ApiKeys.DELETE_TOPICS,
        version,
        s -> {
          DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTimeoutMs(10_000);
          List<String> all = new ArrayList<>();
          for (String name : names) {
            all.add(s.name(name));
          }
          if (version >= 6) {
            all.forEach(
                name ->
                    request
                        .topics()
                        .add(new DeleteTopicsRequestData.DeleteTopicState().setName(name)));
          } else {
            request.setTopicNames(all);
          }
          return request;
        });
  }

  static Step deleteById(String... names) {
    return ask(
        ApiKeys.DELETE_TOPICS,
        6,
        s -> {
          DeleteTopicsRequestData request = new DeleteTopicsRequestData().setTimeoutMs(10_000);
          for (String name : names) {
            request
                .topics()
                .add(
                    new DeleteTopicsRequestData.DeleteTopicState()
                        .setName(null)
                        .setTopicId(s.topicId(name)));
          }
          return request;
        });
  }

  static Step grow(
      int version,
      boolean validateOnly,
      String name,
      int count,
      @Nullable List<List<Integer>> assignments) {
    return ask(
        ApiKeys.CREATE_PARTITIONS,
        version,
        s -> {
          var topics = new CreatePartitionsRequestData.CreatePartitionsTopicCollection();
          topics.add(
              new CreatePartitionsRequestData.CreatePartitionsTopic()
                  .setName(s.name(name))
                  .setCount(count)
                  .setAssignments(
                      assignments == null
                          ? null
                          : assignments.stream()
                              .map(
                                  ids ->
                                      new CreatePartitionsRequestData.CreatePartitionsAssignment()
                                          .setBrokerIds(ids))
                              .toList()));
          return new CreatePartitionsRequestData()
              .setTopics(topics)
              .setTimeoutMs(10_000)
              .setValidateOnly(validateOnly);
        });
  }

  static Step metadata(int version, boolean create, String... names) {
    return ask(
        ApiKeys.METADATA,
        version,
        s -> {
          MetadataRequestData request = new MetadataRequestData();
          for (String name : names) {
            request
                .topics()
                .add(new MetadataRequestData.MetadataRequestTopic().setName(s.name(name)));
          }
          if (version >= 4) {
            request.setAllowAutoTopicCreation(create);
          }
          if (version >= 8) {
            request.setIncludeTopicAuthorizedOperations(true);
          }
          return request;
        });
  }

  static Step metadataById(int version, String... names) {
    return ask(
        ApiKeys.METADATA,
        version,
        s -> {
          MetadataRequestData request = new MetadataRequestData().setAllowAutoTopicCreation(false);
          for (String name : names) {
            request
                .topics()
                .add(
                    new MetadataRequestData.MetadataRequestTopic()
                        .setName(null)
                        .setTopicId(s.topicId(name)));
          }
          return request;
        });
  }

  static Step describePartitions(
      int limit, @Nullable String cursorTopic, int cursorPartition, String... names) {
    return ask(
        ApiKeys.DESCRIBE_TOPIC_PARTITIONS,
        0,
        s -> {
          var request = new DescribeTopicPartitionsRequestData().setResponsePartitionLimit(limit);
          if (cursorTopic != null) {
            request.setCursor(
                new DescribeTopicPartitionsRequestData.Cursor()
                    .setTopicName(s.name(cursorTopic))
                    .setPartitionIndex(cursorPartition));
          }
          for (String name : names) {
            request
                .topics()
                .add(new DescribeTopicPartitionsRequestData.TopicRequest().setName(s.name(name)));
          }
          return request;
        });
  }
}
