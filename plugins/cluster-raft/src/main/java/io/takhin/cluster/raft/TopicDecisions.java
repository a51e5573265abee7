package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster.NewPartitions;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.cluster.Cluster.Result;
import io.takhin.api.cluster.Cluster.TopicResult;
import io.takhin.api.cluster.ConfigEntry;
import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What requests about topics come to (T12, T15): image and request in, records and results out.
///
/// @param numPartitions of a topic that does not say
/// @param replicationFactor of a topic that does not say
/// @param maxPartitionsPerTopic what a topic may grow to
/// @param ids makes topic ids; the only thing here that is not a function of image and request
/// @param configs what a topic of these own configs shows: for the answer
record TopicDecisions(
    int numPartitions,
    int replicationFactor,
    int maxPartitionsPerTopic,
    Supplier<UUID> ids,
    BiFunction<MetadataImage, Map<String, String>, List<ConfigEntry>> configs) {

  /// Kafka's own bound on what one request may make.
  static final int MAX_PARTITIONS_PER_REQUEST = 10_000;

  /// A replica list per partition, or what is wrong.
  private record Placement(List<List<Integer>> replicas, @Nullable Result wrong) {
    static Placement wrong(ErrorCode code, String message) {
      return new Placement(List.of(), new Result(code, message));
    }
  }

  Decision<List<TopicResult>> createTopics(
      MetadataImage image, List<NewTopic> topics, boolean validateOnly) {
    Map<String, Integer> names = new HashMap<>();
    topics.forEach(topic -> names.merge(topic.name(), 1, Integer::sum));
    Set<String> made = new HashSet<>();
    List<MetadataRecord> records = new ArrayList<>();
    List<TopicResult> results = new ArrayList<>();
    int partitions = 0;
    for (NewTopic topic : topics) {
      Result wrong = names.getOrDefault(topic.name(), 0) > 1 ? duplicate(topic.name()) : null;
      wrong = wrong == null ? checkName(image, made, topic.name()) : wrong;
      wrong = wrong == null ? checkConfigs(topic) : wrong;
      Placement placement = wrong == null ? place(image, topic) : new Placement(List.of(), wrong);
      partitions += placement.replicas().size();
      wrong = placement.wrong();
      if (wrong == null && partitions > MAX_PARTITIONS_PER_REQUEST) {
        wrong = tooMany();
      }
      if (wrong != null) {
        results.add(failed(topic.name(), wrong));
        continue;
      }
      made.add(topic.name());
      UUID id = ids.get();
      if (!validateOnly) {
        records.addAll(records(topic, id, placement.replicas()));
      }
      results.add(
          new TopicResult(
              topic.name(),
              Result.OK,
              validateOnly ? null : id,
              placement.replicas().size(),
              (short) placement.replicas().getFirst().size(),
              configs.apply(image, ownConfigs(topic))));
    }
    return new Decision<>(records, results);
  }

  private static Map<String, String> ownConfigs(NewTopic topic) {
    Map<String, String> own = new TreeMap<>();
    topic
        .configs()
        .forEach(
            (key, value) -> {
              if (value != null) {
                own.put(key, value);
              }
            });
    return own;
  }

  private static Result duplicate(String name) {
    return new Result(
        ErrorCode.INVALID_REQUEST, "Topic '" + name + "' stands in the request more than once.");
  }

  private static Result tooMany() {
    return new Result(
        ErrorCode.POLICY_VIOLATION,
        "Too many partitions in one request: at most "
            + MAX_PARTITIONS_PER_REQUEST
            + ". Make the topics in several requests.");
  }

  private static TopicResult failed(String name, Result wrong) {
    return new TopicResult(name, wrong, null, -1, (short) -1, List.of());
  }

  private static @Nullable Result checkName(MetadataImage image, Set<String> made, String name) {
    String illegal = TopicNames.check(name);
    if (illegal != null) {
      return new Result(ErrorCode.INVALID_TOPIC_EXCEPTION, illegal);
    }
    if (image.topic(name) != null) {
      return new Result(ErrorCode.TOPIC_ALREADY_EXISTS, "Topic '" + name + "' already exists.");
    }
    if (TopicNames.mayCollide(name)) {
      for (Set<String> others : List.of(image.topicsByName().keySet(), made)) {
        for (String other : others) {
          if (TopicNames.collide(name, other)) {
            return new Result(
                ErrorCode.INVALID_TOPIC_EXCEPTION,
                "Topic '%s' collides with existing topic '%s': they differ only in '.' and '_'."
                    .formatted(name, other));
          }
        }
      }
    }
    return null;
  }

  private static @Nullable Result checkConfigs(NewTopic topic) {
    for (Map.Entry<String, @Nullable String> entry : topic.configs().entrySet()) {
      if (entry.getValue() == null) {
        return new Result(
            ErrorCode.INVALID_CONFIG, "Null value for topic config " + entry.getKey() + ".");
      }
    }
    String wrong = ConfigDecisions.checkTopicConfigs(ownConfigs(topic));
    return wrong == null ? null : new Result(ErrorCode.INVALID_CONFIG, wrong);
  }

  private Placement place(MetadataImage image, NewTopic topic) {
    if (!topic.assignments().isEmpty()) {
      return manual(image, topic);
    }
    // In Kafka's order: clients are told of one mistake.
    int factor = topic.replicationFactor() == -1 ? replicationFactor : topic.replicationFactor();
    if (factor <= 0) {
      return Placement.wrong(
          ErrorCode.INVALID_REPLICATION_FACTOR,
          "Replication factor must be above 0, or -1, not " + factor);
    }
    int count = topic.partitions() == -1 ? numPartitions : topic.partitions();
    if (count <= 0) {
      return Placement.wrong(
          ErrorCode.INVALID_PARTITIONS,
          "Number of partitions must be above 0, or -1, not " + count);
    }
    if (count > maxPartitionsPerTopic) {
      return Placement.wrong(ErrorCode.INVALID_PARTITIONS, aboveMaximum(count));
    }
    if (count > MAX_PARTITIONS_PER_REQUEST) {
      return new Placement(List.of(), tooMany());
    }
    int brokers = image.brokers().size();
    if (factor > brokers) {
      return Placement.wrong(
          ErrorCode.INVALID_REPLICATION_FACTOR,
          "Replication factor %d is larger than the number of brokers, %d."
              .formatted(factor, brokers));
    }
    return new Placement(spread(image, 0, count, factor), null);
  }

  private String aboveMaximum(int count) {
    return "%d partitions are more than kafka.max.partitions.per.topic allows, %d."
        .formatted(count, maxPartitionsPerTopic);
  }

  private Placement manual(MetadataImage image, NewTopic topic) {
    if (topic.partitions() != -1 || topic.replicationFactor() != -1) {
      return Placement.wrong(
          ErrorCode.INVALID_REQUEST,
          "With replica assignments, the numbers of partitions and replicas have to be -1.");
    }
    if (topic.assignments().size() > maxPartitionsPerTopic) {
      return Placement.wrong(
          ErrorCode.INVALID_PARTITIONS, aboveMaximum(topic.assignments().size()));
    }
    List<List<Integer>> replicas = new ArrayList<>();
    for (int i = 0; i < topic.assignments().size(); i++) {
      List<Integer> assigned = topic.assignments().get(i);
      if (assigned == null) {
        return Placement.wrong(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            "Partitions have to be numbered from 0 without gaps: " + i + " is missing.");
      }
      int factor = replicas.isEmpty() ? assigned.size() : replicas.getFirst().size();
      String wrong = checkAssignment(image, i, assigned, factor);
      if (wrong != null) {
        return Placement.wrong(ErrorCode.INVALID_REPLICA_ASSIGNMENT, wrong);
      }
      replicas.add(List.copyOf(assigned));
    }
    return new Placement(replicas, null);
  }

  private static @Nullable String checkAssignment(
      MetadataImage image, int partition, List<Integer> assigned, int factor) {
    if (assigned.isEmpty()) {
      return "Partition " + partition + " has no replicas.";
    }
    if (assigned.size() != factor) {
      return "Partition %d has %d replicas where others have %d."
          .formatted(partition, assigned.size(), factor);
    }
    if (new HashSet<>(assigned).size() != assigned.size()) {
      return "Partition " + partition + " names a broker twice: " + assigned;
    }
    for (int broker : assigned) {
      if (!image.brokers().containsKey(broker)) {
        return "Partition " + partition + " names broker " + broker + ", which is not there.";
      }
    }
    return null;
  }

  /// Replicas for partitions `first` to `end - 1`: leaders round robin over the brokers, followers
  /// behind them with a shift that grows, so that the partitions of a lost leader are spread.
  private static List<List<Integer>> spread(MetadataImage image, int first, int end, int factor) {
    List<Integer> brokers = List.copyOf(new TreeMap<>(image.brokers()).keySet());
    int count = brokers.size();
    int start = (int) (image.offset() % count);
    List<List<Integer>> replicas = new ArrayList<>();
    for (int partition = first; partition < end; partition++) {
      int leader = (start + partition) % count;
      int shift = count > 1 ? partition / count % (count - 1) : 0;
      List<Integer> list = new ArrayList<>(factor);
      list.add(brokers.get(leader));
      for (int follower = 0; follower < factor - 1; follower++) {
        list.add(brokers.get((leader + 1 + (shift + follower) % (count - 1)) % count));
      }
      replicas.add(List.copyOf(list));
    }
    return replicas;
  }

  private static List<MetadataRecord> records(
      NewTopic topic, UUID id, List<List<Integer>> replicas) {
    List<MetadataRecord> records = new ArrayList<>();
    records.add(new TopicCreated(id, topic.name()));
    for (int i = 0; i < replicas.size(); i++) {
      records.add(new PartitionChanged(id, i, fresh(replicas.get(i))));
    }
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic.name());
    ownConfigs(topic)
        .forEach((key, value) -> records.add(new ConfigChanged(resource, key, value.strip())));
    return records;
  }

  private static PartitionState fresh(List<Integer> replicas) {
    return new PartitionState(replicas, replicas, replicas.getFirst(), 0, 0);
  }

  Decision<List<Result>> deleteTopics(MetadataImage image, List<UUID> topics) {
    Set<UUID> deleted = new HashSet<>();
    List<MetadataRecord> records = new ArrayList<>();
    List<Result> results = new ArrayList<>();
    for (UUID id : topics) {
      if (image.topic(id) == null || !deleted.add(id)) {
        results.add(
            new Result(ErrorCode.UNKNOWN_TOPIC_ID, "There is no topic with this id: " + id));
        continue;
      }
      records.add(new TopicDeleted(id));
      results.add(Result.OK);
    }
    return new Decision<>(records, results);
  }

  Decision<List<Result>> createPartitions(
      MetadataImage image, List<NewPartitions> requests, boolean validateOnly) {
    Map<String, Integer> names = new HashMap<>();
    requests.forEach(request -> names.merge(request.topic(), 1, Integer::sum));
    List<MetadataRecord> records = new ArrayList<>();
    List<Result> results = new ArrayList<>();
    int added = 0;
    for (NewPartitions request : requests) {
      if (names.getOrDefault(request.topic(), 0) > 1) {
        results.add(duplicate(request.topic()));
        continue;
      }
      TopicImage topic = image.topic(request.topic());
      if (topic == null) {
        results.add(
            new Result(
                ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
                "There is no topic '" + request.topic() + "'."));
        continue;
      }
      Placement placement = grow(image, topic, request);
      Result wrong = placement.wrong();
      added += placement.replicas().size();
      if (wrong == null && added > MAX_PARTITIONS_PER_REQUEST) {
        wrong = tooMany();
      }
      if (wrong == null && !validateOnly) {
        int index = topic.partitions().size();
        for (List<Integer> replicas : placement.replicas()) {
          records.add(new PartitionChanged(topic.id(), index++, fresh(replicas)));
        }
      }
      results.add(wrong == null ? Result.OK : wrong);
    }
    return new Decision<>(records, results);
  }

  private Placement grow(MetadataImage image, TopicImage topic, NewPartitions request) {
    int now = topic.partitions().size();
    if (request.count() < now) {
      return Placement.wrong(
          ErrorCode.INVALID_PARTITIONS,
          "Topic '%s' has %d partitions: their number can only be increased, not set to %d."
              .formatted(topic.name(), now, request.count()));
    }
    if (request.count() == now) {
      return Placement.wrong(
          ErrorCode.INVALID_PARTITIONS,
          "Topic '%s' already has %d partitions.".formatted(topic.name(), now));
    }
    if (request.count() > maxPartitionsPerTopic) {
      return Placement.wrong(ErrorCode.INVALID_PARTITIONS, aboveMaximum(request.count()));
    }
    if (request.count() - now > MAX_PARTITIONS_PER_REQUEST) {
      return new Placement(List.of(), tooMany());
    }
    int factor = topic.partitions().getFirst().replicas().size();
    List<List<Integer>> assignments = request.assignments();
    if (assignments == null) {
      if (factor > image.brokers().size()) {
        return Placement.wrong(
            ErrorCode.INVALID_REPLICATION_FACTOR,
            "The topic has %d replicas and only %d brokers are there."
                .formatted(factor, image.brokers().size()));
      }
      return new Placement(spread(image, now, request.count(), factor), null);
    }
    if (assignments.size() != request.count() - now) {
      return Placement.wrong(
          ErrorCode.INVALID_REPLICA_ASSIGNMENT,
          "%d assignments for %d new partitions."
              .formatted(assignments.size(), request.count() - now));
    }
    for (int i = 0; i < assignments.size(); i++) {
      String wrong = checkAssignment(image, now + i, assignments.get(i), factor);
      if (wrong != null) {
        return Placement.wrong(ErrorCode.INVALID_REPLICA_ASSIGNMENT, wrong);
      }
    }
    return new Placement(assignments.stream().map(List::copyOf).toList(), null);
  }
}
