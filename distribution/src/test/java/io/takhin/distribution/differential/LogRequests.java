package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.Requests.ask;

import java.util.List;
import java.util.function.Function;
import org.apache.kafka.common.message.DeleteRecordsRequestData;
import org.apache.kafka.common.message.DescribeProducersRequestData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.BaseRecords;
import org.jspecify.annotations.Nullable;

/// Requests to partitions. Topics are named by the script's shorthand; versions that name topics by
/// id get the id.
final class LogRequests {
  private LogRequests() {}

  // ---- Produce

  /// Produces to one partition.
  static Step produce(int version, String topic, int partition, Function<State, Batch> batch) {
    return produce(version, -1, null, topic, partition, s -> batch.apply(s).records());
  }

  /// Produces these values.
  static Step produce(int version, String topic, int partition, String... values) {
    return produce(version, topic, partition, _ -> Batch.of(values));
  }

  /// Produces anything.
  static Step produce(
      int version,
      int acks,
      @Nullable String transactionalId,
      String topic,
      int partition,
      Function<State, @Nullable BaseRecords> records) {
    Step step =
        ask(
            ApiKeys.PRODUCE,
            version,
            s -> {
              ProduceRequestData request =
                  new ProduceRequestData()
                      .setAcks((short) acks)
                      .setTimeoutMs(5_000)
                      .setTransactionalId(transactionalId == null ? null : s.name(transactionalId));
              var data = new ProduceRequestData.TopicProduceData();
              if (version >= 13) {
                data.setTopicId(s.topicId(topic));
              } else {
                data.setName(s.name(topic));
              }
              data.partitionData()
                  .add(
                      new ProduceRequestData.PartitionProduceData()
                          .setIndex(partition)
                          .setRecords(records.apply(s)));
              request.topicData().add(data);
              return request;
            });
    return acks == 0 ? step.waiting(Step.Wait.NONE) : step;
  }

  // ---- Fetch

  /// A partition to fetch from.
  record From(String topic, int partition, long offset, int epoch, int lastEpoch, int maxBytes) {
    static From offset(String topic, int partition, long offset) {
      return new From(topic, partition, offset, -1, -1, 1 << 20);
    }

    From epoch(int current) {
      return new From(topic, partition, offset, current, lastEpoch, maxBytes);
    }

    From lastEpoch(int last) {
      return new From(topic, partition, offset, epoch, last, maxBytes);
    }

    From maxBytes(int bytes) {
      return new From(topic, partition, offset, epoch, lastEpoch, bytes);
    }
  }

  /// What a Fetch asks for beside its partitions.
  record Terms(int isolation, int minBytes, int maxBytes, int sessionEpoch, boolean inSession) {
    static final Terms PLAIN = new Terms(0, 1, 1 << 20, -1, false);
    static final Terms COMMITTED = new Terms(1, 1, 1 << 20, -1, false);

    Terms session(int epoch) {
      return new Terms(isolation, minBytes, maxBytes, epoch, true);
    }

    Terms bytes(int min, int max) {
      return new Terms(isolation, min, max, sessionEpoch, inSession);
    }
  }

  static Step fetch(int version, String topic, int partition, long offset) {
    return fetch(version, Terms.PLAIN, 0, List.of(From.offset(topic, partition, offset)));
  }

  static Step fetchCommitted(int version, String topic, int partition, long offset) {
    return fetch(version, Terms.COMMITTED, 0, List.of(From.offset(topic, partition, offset)));
  }

  static Step fetch(
      int version, Terms terms, int connection, List<From> partitions, String... forgotten) {
    return ask(
            ApiKeys.FETCH,
            version,
            s -> {
              FetchRequestData request =
                  new FetchRequestData()
                      .setMaxWaitMs(10)
                      .setMinBytes(terms.minBytes())
                      .setMaxBytes(terms.maxBytes())
                      .setIsolationLevel((byte) terms.isolation());
              if (version >= 7) {
                request
                    .setSessionId(terms.inSession() ? s.session(connection) : 0)
                    .setSessionEpoch(terms.sessionEpoch());
              }
              for (From from : partitions) {
                topic(s, version, request, from.topic()).partitions().add(partition(version, from));
              }
              for (String topic : version >= 7 ? List.of(forgotten) : List.<String>of()) {
                var gone = new FetchRequestData.ForgottenTopic().setPartitions(List.of(0));
                if (version >= 13) {
                  gone.setTopicId(s.topicId(topic));
                } else {
                  gone.setTopic(s.name(topic));
                }
                request.forgottenTopicsData().add(gone);
              }
              return request;
            })
        .on(connection);
  }

  private static FetchRequestData.FetchTopic topic(
      State s, int version, FetchRequestData request, String name) {
    var topic = new FetchRequestData.FetchTopic();
    if (version >= 13) {
      topic.setTopicId(s.topicId(name));
    } else {
      topic.setTopic(s.name(name));
    }
    if (!request.topics().isEmpty()) {
      var last = request.topics().getLast();
      if (last.topicId().equals(topic.topicId()) && last.topic().equals(topic.topic())) {
        return last;
      }
    }
    request.topics().add(topic);
    return topic;
  }

  private static FetchRequestData.FetchPartition partition(int version, From from) {
    var partition =
        new FetchRequestData.FetchPartition()
            .setPartition(from.partition())
            .setFetchOffset(from.offset())
            .setPartitionMaxBytes(from.maxBytes());
    if (version >= 9) {
      partition.setCurrentLeaderEpoch(from.epoch());
    }
    if (version >= 12) {
      partition.setLastFetchedEpoch(from.lastEpoch());
    }
    return partition;
  }

  // ---- offsets and epochs

  static Step listOffsets(int version, String topic, int partition, long timestamp) {
    return listOffsets(version, topic, partition, timestamp, 0, -1);
  }

  static Step listOffsets(
      int version, String topic, int partition, long timestamp, int isolation, int epoch) {
    return ask(
        ApiKeys.LIST_OFFSETS,
        version,
        s -> {
          var asked =
              new ListOffsetsRequestData.ListOffsetsPartition()
                  .setPartitionIndex(partition)
                  .setTimestamp(timestamp);
          if (version >= 4) {
            asked.setCurrentLeaderEpoch(epoch);
          }
          ListOffsetsRequestData request =
              new ListOffsetsRequestData()
                  .setReplicaId(-1)
                  .setTopics(
                      List.of(
                          new ListOffsetsRequestData.ListOffsetsTopic()
                              .setName(s.name(topic))
                              .setPartitions(List.of(asked))));
          if (version >= 2) {
            request.setIsolationLevel((byte) isolation);
          }
          return request;
        });
  }

  static Step epochEnd(int version, String topic, int partition, int current, int epoch) {
    return ask(
        ApiKeys.OFFSET_FOR_LEADER_EPOCH,
        version,
        s -> {
          var topics = new OffsetForLeaderEpochRequestData.OffsetForLeaderTopicCollection();
          topics.add(
              new OffsetForLeaderEpochRequestData.OffsetForLeaderTopic()
                  .setTopic(s.name(topic))
                  .setPartitions(
                      List.of(
                          new OffsetForLeaderEpochRequestData.OffsetForLeaderPartition()
                              .setPartition(partition)
                              .setCurrentLeaderEpoch(current)
                              .setLeaderEpoch(epoch))));
          OffsetForLeaderEpochRequestData request =
              new OffsetForLeaderEpochRequestData().setTopics(topics);
          return version >= 3 ? request.setReplicaId(-1) : request;
        });
  }

  static Step deleteRecords(int version, String topic, int partition, long before) {
    return ask(
        ApiKeys.DELETE_RECORDS,
        version,
        s ->
            new DeleteRecordsRequestData()
                .setTimeoutMs(5_000)
                .setTopics(
                    List.of(
                        new DeleteRecordsRequestData.DeleteRecordsTopic()
                            .setName(s.name(topic))
                            .setPartitions(
                                List.of(
                                    new DeleteRecordsRequestData.DeleteRecordsPartition()
                                        .setPartitionIndex(partition)
                                        .setOffset(before))))));
  }

  static Step describeProducers(String topic, Integer... partitions) {
    return ask(
        ApiKeys.DESCRIBE_PRODUCERS,
        0,
        s ->
            new DescribeProducersRequestData()
                .setTopics(
                    List.of(
                        new DescribeProducersRequestData.TopicRequest()
                            .setName(s.name(topic))
                            .setPartitionIndexes(List.of(partitions)))));
  }
}
