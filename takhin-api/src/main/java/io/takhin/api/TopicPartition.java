package io.takhin.api;

import java.util.UUID;

/// A partition of one incarnation of a topic: a topic that is deleted and made again has a new id
/// (KIP-516), so that late requests cannot reach the wrong data.
///
/// @param topicId the incarnation
/// @param topic the name, at most 249 characters of `[a-zA-Z0-9._-]`
/// @param partition the index, from 0
@Api(status = Api.Status.STABLE, since = "0.1")
public record TopicPartition(UUID topicId, String topic, int partition) {
  /// `topic-partition`, as Kafka names the directory of its log.
  @Override
  public String toString() {
    return topic + "-" + partition;
  }
}
