package io.takhin.api.partition;

import io.takhin.api.Api;
import io.takhin.api.Service;
import java.util.Collection;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/// The topics that this broker has replicas of. Follows the cluster metadata: a topic is here as
/// soon as the broker has applied the record that made it.
///
/// Threading: any thread. Blocking: no.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface PartitionService extends Service {
  /// The topic with this name, or null. A handle may be kept until [Topic#deleted].
  @Nullable Topic topic(String name);

  /// The topic with this id, or null.
  @Nullable Topic topic(UUID id);

  /// All topics here.
  Collection<Topic> topics();

  /// A topic as this broker has it.
  @Api(status = Api.Status.EVOLVING, since = "0.1")
  interface Topic {
    /// The incarnation's id.
    UUID id();

    /// The name.
    String name();

    /// How many partitions the topic has in the cluster.
    int partitionCount();

    /// A partition with a replica here, or null: out of range, or on other brokers only.
    @Nullable Partition partition(int index);

    /// Whether the topic is gone: drop the handle and look it up again.
    boolean deleted();
  }
}
