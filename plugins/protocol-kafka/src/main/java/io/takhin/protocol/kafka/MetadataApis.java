package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.group.GroupCoordinator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeClusterRequestData;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.message.DescribeClusterResponseData.DescribeClusterBroker;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.Cursor;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData.TopicRequest;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponsePartition;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataRequestData.MetadataRequestTopic;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseBrokerCollection;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopicCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/// Metadata, DescribeCluster, DescribeTopicPartitions: the cluster as clients see it through the
/// listener by which they came. All from one image, so that an answer never mixes two states. Of
/// Metadata, only what [MetadataHandler] cannot gather comes here.
final class MetadataApis {
  /// Kafka's `max.request.partition.size.limit`: partitions in one answer of
  /// DescribeTopicPartitions.
  private static final int PARTITION_LIMIT = 2000;

  private static final byte ENDPOINT_BROKERS = 1;
  private static final byte ENDPOINT_CONTROLLERS = 2;

  private final Cluster cluster;
  private final GroupCoordinator groups;
  private final boolean autoCreateTopics;

  /// @param autoCreateTopics `kafka.auto.create.topics.enable`
  MetadataApis(Cluster cluster, GroupCoordinator groups, boolean autoCreateTopics) {
    this.cluster = cluster;
    this.groups = groups;
    this.autoCreateTopics = autoCreateTopics;
  }

  List<MessageApi<?>> apis() {
    return List.of(
        MessageApi.all(ApiKeys.METADATA, this::metadata),
        MessageApi.all(ApiKeys.DESCRIBE_CLUSTER, this::describeCluster),
        MessageApi.all(ApiKeys.DESCRIBE_TOPIC_PARTITIONS, this::describeTopicPartitions));
  }

  private void metadata(Exchange exchange, MetadataRequestData request) {
    short version = exchange.version();
    List<MetadataRequestTopic> asked = request.topics();
    // An empty list was all topics before there was null for it (T6).
    if (asked == null || (version == 0 && asked.isEmpty())) {
      exchange.respond(
          new MetadataAnswer(exchange, request)
              .byName(cluster.image().topicsByName().keySet(), Map.of()));
      return;
    }
    Set<String> names = new LinkedHashSet<>();
    Set<Uuid> ids = new LinkedHashSet<>();
    for (MetadataRequestTopic topic : asked) {
      String name = topic.name();
      boolean hasId = !topic.topicId().equals(Uuid.ZERO_UUID);
      if (version < 12 && (name == null || hasId)) {
        // The field exists from version 10 on, but brokers could not look up by it (T12).
        throw Conversions.invalid(
            name == null
                ? "Topic name can not be null for version " + version
                : "Topic IDs are not supported in requests for version " + version);
      }
      if (hasId) {
        ids.add(topic.topicId());
      } else if (name == null) {
        throw Conversions.invalid("A topic of the request has neither a name nor an id.");
      } else {
        names.add(name);
      }
    }
    if (!ids.isEmpty()) {
      exchange.respond(new MetadataAnswer(exchange, request).byId(ids));
      return;
    }
    List<String> missing = missing(names, request.allowAutoTopicCreation());
    if (missing.isEmpty()) {
      exchange.respond(new MetadataAnswer(exchange, request).byName(names, Map.of()));
      return;
    }
    Conversions.answer(
        exchange,
        autoCreate(missing),
        errors -> new MetadataAnswer(exchange, request).byName(names, errors));
  }

  private List<String> missing(Set<String> names, boolean allowed) {
    if (!autoCreateTopics || !allowed) {
      return List.of();
    }
    MetadataImage image = cluster.image();
    List<String> missing = new ArrayList<>();
    for (String name : names) {
      if (image.topic(name) == null && Topic.isValid(name)) {
        missing.add(name);
      }
    }
    return missing;
  }

  /// Makes topics; the future has the codes of those that could not be made, and does not fail.
  /// The answer waits for it: a client that gets a leader at once needs no second request (T14).
  private CompletableFuture<Map<String, ErrorCode>> autoCreate(List<String> names) {
    List<NewTopic> topics = new ArrayList<>(names.size());
    CompletableFuture<?> internal = CompletableFuture.completedFuture(null);
    for (String name : names) {
      if (name.equals(Topic.GROUP_METADATA_TOPIC_NAME)) {
        // Its coordinator knows what it must look like.
        internal = groups.partitionFor("");
      } else if (!Topic.isInternal(name) && !name.equals(Topic.CLUSTER_METADATA_TOPIC_NAME)) {
        topics.add(new NewTopic(name, -1, (short) -1, Map.of(), Map.of()));
      }
    }
    CompletableFuture<Map<String, ErrorCode>> created =
        topics.isEmpty()
            ? CompletableFuture.completedFuture(Map.of())
            : cluster.createTopics(topics, false).thenApply(MetadataApis::errors);
    return internal
        .thenCombine(created, (ignored, errors) -> errors)
        // What is not known yet is asked again: all that is missing is UNKNOWN_TOPIC_OR_PARTITION.
        .exceptionally(failure -> Map.of());
  }

  private static Map<String, ErrorCode> errors(List<TopicResult> results) {
    Map<String, ErrorCode> errors = new HashMap<>();
    for (TopicResult result : results) {
      ErrorCode error = result.result().error();
      if (error != ErrorCode.NONE && error != ErrorCode.TOPIC_ALREADY_EXISTS) {
        errors.put(result.name(), error);
      }
    }
    return errors;
  }

  /// The broker that clients send changes to: the quorum's leader, if they can reach it. Every
  /// broker takes changes, so this one stands in.
  static int controller(Cluster cluster, Map<Integer, Endpoint> endpoints) {
    int leader = cluster.quorum().state().leader();
    return endpoints.containsKey(leader) ? leader : cluster.nodeId();
  }

  /// One answer in the making.
  private final class MetadataAnswer {
    private final MetadataImage image = cluster.image();
    private final short version;
    private final boolean topicOperations;
    private final MetadataView view;
    private final MetadataResponseData response = new MetadataResponseData();

    MetadataAnswer(Exchange exchange, MetadataRequestData request) {
      version = exchange.version();
      topicOperations = request.includeTopicAuthorizedOperations();
      Map<Integer, Endpoint> endpoints = Conversions.endpoints(image, exchange.listener());
      view = new MetadataView(image.brokers(), endpoints, version);
      response.setBrokers(new MetadataResponseBrokerCollection(endpoints.size()));
      response.brokers().addAll(view.shownBrokers());
      response.setClusterId(cluster.clusterId()).setControllerId(controller(cluster, endpoints));
      if (version >= 8 && version <= 10 && request.includeClusterAuthorizedOperations()) {
        response.setClusterAuthorizedOperations(AuthorizedOperations.CLUSTER);
      }
    }

    MetadataResponseData byId(Set<Uuid> ids) {
      response.setTopics(new MetadataResponseTopicCollection(ids.size()));
      for (Uuid id : ids) {
        TopicImage topic = image.topic(Conversions.uuid(id));
        if (topic != null) {
          response.topics().add(topic(topic));
        } else {
          response
              .topics()
              .add(
                  newTopic()
                      .setErrorCode(ErrorCode.UNKNOWN_TOPIC_ID.code())
                      .setName(null)
                      .setTopicId(id)
                      .setPartitions(List.of()));
        }
      }
      return response;
    }

    MetadataResponseData byName(Set<String> names, Map<String, ErrorCode> errors) {
      response.setTopics(new MetadataResponseTopicCollection(names.size()));
      for (String name : names) {
        TopicImage topic = image.topic(name);
        if (topic != null) {
          response.topics().add(topic(topic));
          continue;
        }
        ErrorCode error =
            Topic.isValid(name)
                ? errors.getOrDefault(name, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
                : ErrorCode.INVALID_TOPIC_EXCEPTION;
        response
            .topics()
            .add(
                newTopic()
                    .setErrorCode(error.code())
                    .setName(name)
                    .setIsInternal(Topic.isInternal(name))
                    .setPartitions(List.of())
                    .setTopicAuthorizedOperations(operations()));
      }
      return response;
    }

    private MetadataResponseTopic newTopic() {
      return new InOrder.MetadataTopic(response.topics().size());
    }

    private int operations() {
      return version >= 8 && topicOperations
          ? AuthorizedOperations.TOPIC
          : AuthorizedOperations.OMITTED;
    }

    private MetadataResponseTopic topic(TopicImage topic) {
      return view.fill(newTopic(), topic).setTopicAuthorizedOperations(operations());
    }
  }

  private void describeCluster(Exchange exchange, DescribeClusterRequestData request) {
    byte endpointType = request.endpointType();
    if (endpointType == ENDPOINT_CONTROLLERS) {
      throw new TakhinException(
          ErrorCode.MISMATCHED_ENDPOINT_TYPE,
          "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type"
              + " CONTROLLER");
    }
    if (endpointType != ENDPOINT_BROKERS) {
      throw new TakhinException(
          ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, "Unsupported endpoint type " + endpointType);
    }
    MetadataImage image = cluster.image();
    Map<Integer, Endpoint> endpoints = Conversions.endpoints(image, exchange.listener());
    DescribeClusterResponseData response =
        new DescribeClusterResponseData()
            .setClusterId(cluster.clusterId())
            .setControllerId(controller(cluster, endpoints))
            .setClusterAuthorizedOperations(
                request.includeClusterAuthorizedOperations()
                    ? AuthorizedOperations.CLUSTER
                    : AuthorizedOperations.OMITTED);
    endpoints.forEach(
        (id, endpoint) -> {
          Broker broker = image.brokers().get(id);
          response
              .brokers()
              .add(
                  new DescribeClusterBroker()
                      .setBrokerId(id)
                      .setHost(endpoint.host())
                      .setPort(endpoint.port())
                      .setRack(broker == null ? null : broker.rack()));
        });
    exchange.respond(response);
  }

  private void describeTopicPartitions(
      Exchange exchange, DescribeTopicPartitionsRequestData request) {
    Cursor cursor = request.cursor();
    String from = cursor == null ? "" : cursor.topicName();
    boolean all = request.topics().isEmpty();
    MetadataImage image = cluster.image();
    TreeSet<String> names = new TreeSet<>();
    if (all) {
      image.topicsByName().keySet().stream()
          .filter(name -> name.compareTo(from) >= 0)
          .forEach(names::add);
    } else {
      for (TopicRequest topic : request.topics()) {
        if (topic.name().compareTo(from) >= 0) {
          names.add(topic.name());
        }
      }
      if (cursor != null && !names.contains(from)) {
        throw Conversions.invalid(
            "DescribeTopicPartitionsRequest topic list should contain the cursor topic: " + from);
      }
    }
    if (cursor != null && cursor.partitionIndex() < 0) {
      throw Conversions.invalid(
          "DescribeTopicPartitionsRequest cursor partition must be valid: " + cursor);
    }
    exchange.respond(
        page(
            image,
            names,
            cursor,
            !all,
            Math.clamp(request.responsePartitionLimit(), 1, PARTITION_LIMIT),
            Conversions.endpoints(image, exchange.listener())));
  }

  private static DescribeTopicPartitionsResponseData page(
      MetadataImage image,
      TreeSet<String> names,
      @Nullable Cursor cursor,
      boolean showUnknown,
      int limit,
      Map<Integer, Endpoint> endpoints) {
    DescribeTopicPartitionsResponseData response = new DescribeTopicPartitionsResponseData();
    int remaining = limit;
    for (String name : names) {
      if (remaining == 0) {
        response.setNextCursor(cursor(name, 0));
        break;
      }
      TopicImage topic = image.topic(name);
      if (topic == null) {
        if (showUnknown) {
          response.topics().add(unknown(response.topics().size(), name));
        }
        continue;
      }
      int start = cursor != null && cursor.topicName().equals(name) ? cursor.partitionIndex() : 0;
      int end = (int) Math.min((long) start + remaining, topic.partitions().size());
      List<DescribeTopicPartitionsResponsePartition> partitions = new ArrayList<>();
      for (int index = start; index < end; index++) {
        partitions.add(partition(image, endpoints, index, topic.partitions().get(index)));
      }
      response
          .topics()
          .add(
              new InOrder.DescribedTopic(response.topics().size())
                  .setName(name)
                  .setTopicId(Conversions.uuid(topic.id()))
                  .setIsInternal(Topic.isInternal(name))
                  .setPartitions(partitions)
                  .setTopicAuthorizedOperations(AuthorizedOperations.TOPIC));
      if (end < topic.partitions().size()) {
        response.setNextCursor(cursor(name, end));
        break;
      }
      remaining -= partitions.size();
    }
    return response;
  }

  private static DescribeTopicPartitionsResponseData.Cursor cursor(String topic, int partition) {
    return new DescribeTopicPartitionsResponseData.Cursor()
        .setTopicName(topic)
        .setPartitionIndex(partition);
  }

  private static DescribeTopicPartitionsResponseTopic unknown(int place, String name) {
    ErrorCode error =
        Topic.isValid(name)
            ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            : ErrorCode.INVALID_TOPIC_EXCEPTION;
    return new InOrder.DescribedTopic(place)
        .setErrorCode(error.code())
        .setName(name)
        .setIsInternal(Topic.isInternal(name))
        .setTopicAuthorizedOperations(AuthorizedOperations.TOPIC);
  }

  private static DescribeTopicPartitionsResponsePartition partition(
      MetadataImage image, Map<Integer, Endpoint> endpoints, int index, PartitionState state) {
    ErrorCode error = ErrorCode.NONE;
    int leader = state.leader();
    if (!endpoints.containsKey(leader)) {
      error =
          image.brokers().containsKey(leader)
              ? ErrorCode.LISTENER_NOT_FOUND
              : ErrorCode.LEADER_NOT_AVAILABLE;
      leader = -1;
    }
    return new DescribeTopicPartitionsResponsePartition()
        .setErrorCode(error.code())
        .setPartitionIndex(index)
        .setLeaderId(leader)
        .setLeaderEpoch(state.leaderEpoch())
        .setReplicaNodes(state.replicas())
        .setIsrNodes(state.isr())
        .setEligibleLeaderReplicas(List.of())
        .setLastKnownElr(List.of())
        .setOfflineReplicas(MetadataView.offline(image.brokers(), state.replicas()));
  }
}
