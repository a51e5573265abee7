package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewPartitions;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreatePartitionsRequestData;
import org.apache.kafka.common.message.CreatePartitionsRequestData.CreatePartitionsTopic;
import org.apache.kafka.common.message.CreatePartitionsResponseData;
import org.apache.kafka.common.message.CreatePartitionsResponseData.CreatePartitionsTopicResult;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableReplicaAssignment;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.message.CreateTopicsResponseData;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicConfigs;
import org.apache.kafka.common.message.CreateTopicsResponseData.CreatableTopicResult;
import org.apache.kafka.common.message.DeleteTopicsRequestData;
import org.apache.kafka.common.message.DeleteTopicsRequestData.DeleteTopicState;
import org.apache.kafka.common.message.DeleteTopicsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// CreateTopics, DeleteTopics, CreatePartitions. What is wrong with a request's shape is found
/// here, topic by topic; what is wrong with its wishes, by the cluster.
final class TopicApis {
  private static final String DUPLICATE = "Duplicate topic name.";

  private final Cluster cluster;

  TopicApis(Cluster cluster) {
    this.cluster = cluster;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.CREATE_TOPICS, this::create),
        MessageApi.all(ApiKeys.DELETE_TOPICS, this::delete),
        MessageApi.all(ApiKeys.CREATE_PARTITIONS, this::createPartitions));
  }

  private void create(Exchange exchange, CreateTopicsRequestData request) {
    Map<String, @Nullable CreatableTopic> once = new LinkedHashMap<>();
    for (CreatableTopic topic : request.topics()) {
      once.put(topic.name(), once.containsKey(topic.name()) ? null : topic);
    }
    CreateTopicsResponseData response = new CreateTopicsResponseData();
    List<NewTopic> wanted = new ArrayList<>();
    once.forEach(
        (name, topic) -> {
          Result problem = topic == null ? invalid(DUPLICATE) : problem(topic);
          if (topic == null || problem != null) {
            response.topics().add(refused(name, problem == null ? invalid(DUPLICATE) : problem));
          } else {
            wanted.add(newTopic(topic));
          }
        });
    if (wanted.isEmpty()) {
      exchange.respond(response);
      return;
    }
    Conversions.answer(
        exchange,
        cluster.createTopics(wanted, request.validateOnly()),
        results -> {
          results.forEach(result -> response.topics().add(created(result)));
          return response;
        });
  }

  private static Result invalid(String message) {
    return Conversions.error(ErrorCode.INVALID_REQUEST, message);
  }

  /// What the request says in two ways that do not fit each other; null if nothing.
  private static @Nullable Result problem(CreatableTopic topic) {
    if (topic.name().equals(Topic.CLUSTER_METADATA_TOPIC_NAME)) {
      return invalid(
          "Creation of internal topic " + Topic.CLUSTER_METADATA_TOPIC_NAME + " is prohibited.");
    }
    if (topic.assignments().isEmpty()) {
      return null;
    }
    if (topic.replicationFactor() != -1) {
      return invalid(
          "A manual partition assignment was specified, but replication factor was not set to -1.");
    }
    if (topic.numPartitions() != -1) {
      return invalid(
          "A manual partition assignment was specified, but numPartitions was not set to -1.");
    }
    Set<Integer> indexes = new HashSet<>();
    for (CreatableReplicaAssignment assignment : topic.assignments()) {
      if (!indexes.add(assignment.partitionIndex())) {
        return Conversions.error(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "Found multiple manual partition assignments for partition "
                + assignment.partitionIndex());
      }
    }
    return null;
  }

  private static NewTopic newTopic(CreatableTopic topic) {
    Map<Integer, List<Integer>> assignments = new HashMap<>();
    for (CreatableReplicaAssignment assignment : topic.assignments()) {
      assignments.put(assignment.partitionIndex(), List.copyOf(assignment.brokerIds()));
    }
    Map<String, @Nullable String> configs = new LinkedHashMap<>();
    for (CreatableTopicConfig config : topic.configs()) {
      configs.put(config.name(), config.value());
    }
    return new NewTopic(
        topic.name(), topic.numPartitions(), topic.replicationFactor(), assignments, configs);
  }

  private static CreatableTopicResult refused(String name, Result result) {
    return new CreatableTopicResult()
        .setName(name)
        .setErrorCode(result.error().code())
        .setErrorMessage(Conversions.message(result));
  }

  private static CreatableTopicResult created(TopicResult result) {
    CreatableTopicResult answer = refused(result.name(), result.result());
    if (result.result().error() != ErrorCode.NONE) {
      return answer;
    }
    List<CreatableTopicConfigs> configs = new ArrayList<>(result.configs().size());
    for (ConfigEntry config : result.configs()) {
      configs.add(
          new CreatableTopicConfigs()
              .setName(config.name())
              .setValue(config.sensitive() ? null : config.value())
              .setReadOnly(config.readOnly())
              .setConfigSource(config.source().id())
              .setIsSensitive(config.sensitive()));
    }
    return answer
        .setTopicId(Conversions.uuid(result.id()))
        .setNumPartitions(result.partitions())
        .setReplicationFactor(result.replicationFactor())
        .setConfigs(configs);
  }

  private void delete(Exchange exchange, DeleteTopicsRequestData request) {
    if (!deletionEnabled()) {
      // The code of its own came with version 3.
      throw exchange.version() < 3
          ? Conversions.invalid("Topic deletion is disabled.")
          : new TakhinException(ErrorCode.TOPIC_DELETION_DISABLED, "Topic deletion is disabled.");
    }
    Deletion deletion = new Deletion(cluster.image());
    request.topicNames().forEach(deletion::name);
    for (DeleteTopicState topic : request.topics()) {
      deletion.topic(topic);
    }
    deletion.resolve();
    if (deletion.found.isEmpty()) {
      exchange.respond(deletion.response);
      return;
    }
    List<TopicImage> topics = List.copyOf(deletion.found.values());
    Conversions.answer(
        exchange,
        cluster.deleteTopics(topics.stream().map(TopicImage::id).toList()),
        results -> {
          for (int i = 0; i < topics.size(); i++) {
            TopicImage topic = topics.get(i);
            deletion.answer(topic.name(), Conversions.uuid(topic.id()), results.get(i));
          }
          return deletion.response;
        });
  }

  private boolean deletionEnabled() {
    List<ConfigEntry> entries =
        cluster.describeConfigs(
            new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(cluster.nodeId())),
            List.of("delete.topic.enable"));
    return entries == null
        || entries.stream().noneMatch(entry -> "false".equalsIgnoreCase(entry.value()));
  }

  /// Sorts a request's names and ids into topics to delete and answers that are known already.
  private static final class Deletion {
    private final MetadataImage image;
    private final DeleteTopicsResponseData response = new DeleteTopicsResponseData();
    private final Set<String> names = new LinkedHashSet<>();
    private final Set<String> duplicateNames = new LinkedHashSet<>();
    private final Set<Uuid> ids = new LinkedHashSet<>();
    private final Set<Uuid> duplicateIds = new LinkedHashSet<>();

    /// To delete, by id.
    private final Map<UUID, TopicImage> found = new LinkedHashMap<>();

    Deletion(MetadataImage image) {
      this.image = image;
    }

    void name(String name) {
      if (!names.add(name)) {
        duplicateNames.add(name);
      }
    }

    void topic(DeleteTopicState topic) {
      boolean hasId = !topic.topicId().equals(Uuid.ZERO_UUID);
      String name = topic.name();
      if (name != null && hasId) {
        answer(name, topic.topicId(), invalid("You may not specify both topic name and topic id."));
      } else if (name != null) {
        name(name);
      } else if (!hasId) {
        answer(null, Uuid.ZERO_UUID, invalid("Neither topic name nor id were specified."));
      } else if (!ids.add(topic.topicId())) {
        duplicateIds.add(topic.topicId());
      }
    }

    void resolve() {
      duplicateNames.forEach(name -> answer(name, Uuid.ZERO_UUID, invalid(DUPLICATE)));
      duplicateIds.forEach(id -> answer(null, id, invalid("Duplicate topic id.")));
      names.removeAll(duplicateNames);
      ids.removeAll(duplicateIds);
      for (Uuid id : ids) {
        TopicImage topic = image.topic(Conversions.uuid(id));
        if (topic == null) {
          answer(null, id, Conversions.error(ErrorCode.UNKNOWN_TOPIC_ID));
        } else {
          found.put(topic.id(), topic);
        }
      }
      for (String name : names) {
        TopicImage topic = image.topic(name);
        if (topic == null) {
          answer(name, Uuid.ZERO_UUID, Conversions.error(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION));
        } else if (duplicateIds.contains(Conversions.uuid(topic.id()))
            || found.containsKey(topic.id())) {
          found.remove(topic.id());
          answer(
              name,
              Conversions.uuid(topic.id()),
              invalid("The provided topic name maps to an ID that was already supplied."));
        } else {
          found.put(topic.id(), topic);
        }
      }
    }

    void answer(@Nullable String name, Uuid id, Result result) {
      response
          .responses()
          .add(
              new InOrder.DeletedTopic(response.responses().size())
                  .setName(name)
                  .setTopicId(id)
                  .setErrorCode(result.error().code())
                  .setErrorMessage(Conversions.message(result)));
    }
  }

  private void createPartitions(Exchange exchange, CreatePartitionsRequestData request) {
    Set<String> seen = new HashSet<>();
    Set<String> duplicates = new LinkedHashSet<>();
    for (CreatePartitionsTopic topic : request.topics()) {
      if (!seen.add(topic.name())) {
        duplicates.add(topic.name());
      }
    }
    CreatePartitionsResponseData response = new CreatePartitionsResponseData();
    duplicates.forEach(name -> response.results().add(grown(name, invalid(DUPLICATE))));
    List<NewPartitions> wanted = new ArrayList<>();
    for (CreatePartitionsTopic topic : request.topics()) {
      if (!duplicates.contains(topic.name())) {
        List<List<Integer>> assignments =
            topic.assignments() == null
                ? null
                : topic.assignments().stream().map(one -> List.copyOf(one.brokerIds())).toList();
        wanted.add(new NewPartitions(topic.name(), topic.count(), assignments));
      }
    }
    if (wanted.isEmpty()) {
      exchange.respond(response);
      return;
    }
    Conversions.answer(
        exchange,
        cluster.createPartitions(wanted, request.validateOnly()),
        results -> {
          for (int i = 0; i < wanted.size(); i++) {
            response.results().add(grown(wanted.get(i).topic(), results.get(i)));
          }
          return response;
        });
  }

  private static CreatePartitionsTopicResult grown(String name, Result result) {
    return new CreatePartitionsTopicResult()
        .setName(name)
        .setErrorCode(result.error().code())
        .setErrorMessage(Conversions.message(result));
  }
}
