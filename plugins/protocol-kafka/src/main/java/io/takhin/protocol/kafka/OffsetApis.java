package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.DeletedOffsets;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteResponseData;
import org.apache.kafka.common.message.OffsetDeleteResponseData.OffsetDeleteResponseTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopic;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartition;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopic;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Committed offsets: OffsetFetch, OffsetDelete. Topics are checked here, against the
/// metadata; groups and members by the coordinator.
final class OffsetApis {
  private final Cluster cluster;
  private final GroupCoordinator groups;

  OffsetApis(Cluster cluster, GroupCoordinator groups) {
    this.cluster = cluster;
    this.groups = groups;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.OFFSET_FETCH, this::fetch),
        MessageApi.all(ApiKeys.OFFSET_DELETE, this::delete));
  }

  /// What was asked of a group: the metadata beside an offset is a thousand times as long as the
  /// number that asks for it, so each is shown once. Names, ids and numbers can be compared: maps
  /// stay quick however their hashes were chosen.
  private static final class Once {
    private final Map<Object, Set<Integer>> shown = new HashMap<>();

    /// Whether it was not asked for before.
    boolean add(Object topic, int partition) {
      return shown.computeIfAbsent(topic, name -> new HashSet<>()).add(partition);
    }
  }

  /// What is wrong with the name of a partition; NONE if nothing is.
  static ErrorCode check(@Nullable TopicImage topic, int partition, boolean byId) {
    if (topic == null) {
      return byId ? ErrorCode.UNKNOWN_TOPIC_ID : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    }
    return partition < 0 || partition >= topic.partitions().size()
        ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        : ErrorCode.NONE;
  }

  private void fetch(Exchange exchange, OffsetFetchRequestData request) {
    short version = exchange.version();
    if (version < 8) {
      fetchOne(exchange, request);
      return;
    }
    List<CompletableFuture<OffsetFetchResponseGroup>> found =
        new ArrayList<>(request.groups().size());
    // All offsets of a group are asked for by its name alone, and shown once.
    Set<String> whole = new HashSet<>();
    Map<String, Once> each = new HashMap<>();
    for (OffsetFetchRequestGroup group : request.groups()) {
      if (group.topics() == null && !whole.add(group.groupId())) {
        continue;
      }
      Once once = each.computeIfAbsent(group.groupId(), name -> new Once());
      found.add(fetchGroup(version, group, once, request.requireStable()));
    }
    Conversions.answer(
        exchange,
        CompletableFuture.allOf(found.toArray(CompletableFuture[]::new)),
        done -> {
          OffsetFetchResponseData response = new OffsetFetchResponseData();
          found.forEach(group -> response.groups().add(group.join()));
          return response;
        });
  }

  private CompletableFuture<OffsetFetchResponseGroup> fetchGroup(
      short version, OffsetFetchRequestGroup request, Once once, boolean requireStable) {
    boolean byId = version >= 10;
    OffsetFetchResponseGroup response =
        new OffsetFetchResponseGroup().setGroupId(request.groupId());
    List<OffsetFetchRequestTopics> asked = request.topics();
    if (asked == null) {
      return groups
          .fetchOffsets(request.groupId(), null, requireStable)
          .thenApply(fetched -> all(response, byId, fetched))
          .exceptionally(failure -> failed(response, failure));
    }
    MetadataImage image = cluster.image();
    List<OffsetKey> keys = new ArrayList<>();
    List<OffsetFetchResponsePartitions> answers = new ArrayList<>();
    for (OffsetFetchRequestTopics topic : asked) {
      OffsetFetchResponseTopics topicAnswer =
          new OffsetFetchResponseTopics().setName(topic.name()).setTopicId(topic.topicId());
      response.topics().add(topicAnswer);
      // By name an offset is found even if its topic is gone; by id only what the id stands for.
      TopicImage known = byId ? image.topic(Conversions.uuid(topic.topicId())) : null;
      for (int index : topic.partitionIndexes()) {
        if (!once.add(byId ? topic.topicId() : topic.name(), index)) {
          continue;
        }
        OffsetFetchResponsePartitions answer =
            new OffsetFetchResponsePartitions()
                .setPartitionIndex(index)
                .setCommittedOffset(-1)
                .setMetadata("");
        topicAnswer.partitions().add(answer);
        if (byId && known == null) {
          answer.setErrorCode(ErrorCode.UNKNOWN_TOPIC_ID.code());
        } else {
          keys.add(new OffsetKey(known == null ? topic.name() : known.name(), index));
          answers.add(answer);
        }
      }
    }
    return groups
        .fetchOffsets(request.groupId(), keys, requireStable)
        .thenApply(
            fetched -> {
              if (fetched.error() != ErrorCode.NONE) {
                return response.setTopics(List.of()).setErrorCode(fetched.error().code());
              }
              for (int i = 0; i < answers.size(); i++) {
                fill(answers.get(i), fetched.offsets().get(i));
              }
              return response;
            })
        .exceptionally(failure -> failed(response, failure));
  }

  /// One group's failure is its own.
  private static OffsetFetchResponseGroup failed(
      OffsetFetchResponseGroup response, Throwable failure) {
    return response.setTopics(List.of()).setErrorCode(Conversions.code(failure).code());
  }

  private static void fill(OffsetFetchResponsePartitions answer, FetchedOffset offset) {
    answer
        .setCommittedOffset(offset.offset())
        .setCommittedLeaderEpoch(offset.leaderEpoch())
        .setMetadata(offset.metadata())
        .setErrorCode(offset.error().code());
  }

  private OffsetFetchResponseGroup all(
      OffsetFetchResponseGroup response, boolean byId, FetchedOffsets fetched) {
    response.setErrorCode(fetched.error().code());
    MetadataImage image = cluster.image();
    Map<String, OffsetFetchResponseTopics> topics = new LinkedHashMap<>();
    for (FetchedOffset offset : fetched.offsets()) {
      TopicImage topic = image.topic(offset.topic());
      if (byId && topic == null) {
        // A topic that is gone has no id to be named by.
        continue;
      }
      UUID id = topic == null ? null : topic.id();
      OffsetFetchResponsePartitions answer =
          new OffsetFetchResponsePartitions().setPartitionIndex(offset.partition());
      fill(answer, offset);
      topics
          .computeIfAbsent(
              offset.topic(),
              name ->
                  new OffsetFetchResponseTopics().setName(name).setTopicId(Conversions.uuid(id)))
          .partitions()
          .add(answer);
    }
    return response.setTopics(new ArrayList<>(topics.values()));
  }

  /// Versions before 8: one group, and names only.
  private void fetchOne(Exchange exchange, OffsetFetchRequestData request) {
    short version = exchange.version();
    List<OffsetFetchRequestTopic> asked = request.topics();
    List<OffsetKey> keys = null;
    if (asked != null) {
      keys = new ArrayList<>();
      Once once = new Once();
      for (OffsetFetchRequestTopic topic : asked) {
        for (int index : topic.partitionIndexes()) {
          if (once.add(topic.name(), index)) {
            keys.add(new OffsetKey(topic.name(), index));
          }
        }
      }
    }
    List<OffsetKey> named = keys;
    Conversions.answer(
        exchange,
        groups.fetchOffsets(request.groupId(), keys, request.requireStable()),
        fetched -> {
          OffsetFetchResponseData response = new OffsetFetchResponseData();
          if (fetched.error() == ErrorCode.NONE) {
            return response.setTopics(topics(fetched.offsets()));
          }
          if (version >= 2 || named == null) {
            return response.setErrorCode(fetched.error().code());
          }
          // Version 1 had no place for the group's error but every partition.
          List<FetchedOffset> failed = new ArrayList<>(named.size());
          for (OffsetKey key : named) {
            failed.add(
                new FetchedOffset(key.topic(), key.partition(), fetched.error(), -1, -1, ""));
          }
          return response.setTopics(topics(failed));
        });
  }

  private static List<OffsetFetchResponseTopic> topics(List<FetchedOffset> offsets) {
    Map<String, OffsetFetchResponseTopic> topics = new LinkedHashMap<>();
    for (FetchedOffset offset : offsets) {
      topics
          .computeIfAbsent(offset.topic(), name -> new OffsetFetchResponseTopic().setName(name))
          .partitions()
          .add(
              new OffsetFetchResponsePartition()
                  .setPartitionIndex(offset.partition())
                  .setCommittedOffset(offset.offset())
                  .setCommittedLeaderEpoch(offset.leaderEpoch())
                  .setMetadata(offset.metadata())
                  .setErrorCode(offset.error().code()));
    }
    return new ArrayList<>(topics.values());
  }

  private void delete(Exchange exchange, OffsetDeleteRequestData request) {
    MetadataImage image = cluster.image();
    Map<String, Map<Integer, ErrorCode>> errors = new LinkedHashMap<>();
    List<OffsetKey> keys = new ArrayList<>();
    for (OffsetDeleteRequestTopic asked : request.topics()) {
      TopicImage topic = image.topic(asked.name());
      Map<Integer, ErrorCode> partitions =
          errors.computeIfAbsent(asked.name(), name -> new LinkedHashMap<>());
      for (OffsetDeleteRequestPartition partition : asked.partitions()) {
        ErrorCode error = check(topic, partition.partitionIndex(), false);
        if (partitions.put(partition.partitionIndex(), error) == null && error == ErrorCode.NONE) {
          keys.add(new OffsetKey(asked.name(), partition.partitionIndex()));
        }
      }
    }
    Conversions.answer(
        exchange,
        groups.deleteOffsets(request.groupId(), keys),
        result -> deleted(keys, errors, result));
  }

  private static OffsetDeleteResponseData deleted(
      List<OffsetKey> keys, Map<String, Map<Integer, ErrorCode>> errors, DeletedOffsets result) {
    OffsetDeleteResponseData response =
        new OffsetDeleteResponseData().setErrorCode(result.error().code());
    if (result.error() != ErrorCode.NONE) {
      return response;
    }
    for (int i = 0; i < keys.size(); i++) {
      Map<Integer, ErrorCode> partitions = errors.get(keys.get(i).topic());
      if (partitions != null) {
        partitions.put(keys.get(i).partition(), result.results().get(i));
      }
    }
    errors.forEach(
        (name, partitions) -> {
          OffsetDeleteResponseTopic topic = new OffsetDeleteResponseTopic().setName(name);
          response.topics().add(topic);
          partitions.forEach(
              (index, error) ->
                  topic
                      .partitions()
                      .add(
                          new InOrder.DeletedOffset(topic.partitions().size())
                              .setPartitionIndex(index)
                              .setErrorCode(error.code())));
        });
    return response;
  }
}
