package io.takhin.protocol.kafka.topics;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionService;
import org.jspecify.annotations.Nullable;

/// Partitions that this broker leads, for requests that only a leader can answer.
///
/// Threading: any thread. Blocking: no.
public final class LocalLeaders {
  private final PartitionService partitions;

  /// Of these.
  public LocalLeaders(PartitionService partitions) {
    this.partitions = partitions;
  }

  /// The leader here, or why there is none.
  public record Found(@Nullable Partition partition, ErrorCode error) {}

  /// Looks one up.
  public Found find(MetadataImage image, String topic, int index) {
    TopicImage known = image.topic(topic);
    if (known == null || index < 0 || index >= known.partitions().size()) {
      return new Found(null, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION);
    }
    PartitionService.Topic here = partitions.topic(topic);
    Partition partition = here == null ? null : here.partition(index);
    if (partition == null) {
      return new Found(null, ErrorCode.NOT_LEADER_OR_FOLLOWER);
    }
    if (partition.offline() != null) {
      return new Found(null, ErrorCode.KAFKA_STORAGE_ERROR);
    }
    return partition.leader()
        ? new Found(partition, ErrorCode.NONE)
        : new Found(null, ErrorCode.NOT_LEADER_OR_FOLLOWER);
  }
}
