package io.takhin.broker.partition;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.MetadataRecord.PartitionState;

/// What a replica is now, hence what may be done with it. Immutable; each transition makes another.
///
/// ```
///   opened                      metadata: another broker leads
///      |    +---------+ ----------------------------------------> +-----------+
///      +--> | Leading |                                           | Following |
///           +---------+ <---------------------------------------- +-----------+
///             |     |           metadata: this broker leads         |     |
///             |     |                                               |     |
///             |     +------------> +---------+ <--------------------+     |
///             |       log failed   | Offline |   log failed               |
///             |                    +---------+                            |
///             |                         |                                 |
///             +-----------------------> v <-------------------------------+
///              topic deleted, replica +------+ moved away, broker closes
///                                     | Gone |
///                                     +------+
///
///   no room to open the log   +----------+ -- there is room --> Leading or Following
///   ------------------------> | Unopened | -- directory failed --> Offline
///                             +----------+ -- topic deleted --> Gone
/// ```
///
/// Offline stays offline until a restart; Gone is final.
sealed interface ReplicaState {
  /// The epoch of the leadership, by the newest metadata.
  int leaderEpoch();

  /// What a request is answered with; NONE while leading.
  ErrorCode error();

  /// The answer in words.
  String message();

  /// The state after the metadata said `metadata`.
  ///
  /// @param self this broker's id
  /// @param minInSync the topic's `min.insync.replicas`
  default ReplicaState applied(PartitionState metadata, int self, int minInSync) {
    if (metadata.leader() != self) {
      return new Following(metadata.leaderEpoch(), metadata.leader());
    }
    // More replicas than there are cannot be asked for, whatever the topic says (as in Kafka).
    int replicas = metadata.replicas().size();
    int enough = Math.min(minInSync, replicas);
    return new Leading(metadata.leaderEpoch(), replicas, metadata.isr().size(), enough);
  }

  /// The state after the log failed.
  default ReplicaState failed(String reason) {
    return new Offline(leaderEpoch(), reason);
  }

  /// The state after the log found no room to be opened.
  default ReplicaState unopened(String reason) {
    return new Unopened(leaderEpoch(), reason);
  }

  /// The state after the log was opened; the metadata says next who leads.
  default ReplicaState opened() {
    return this;
  }

  /// What a request is answered with whose client knows this leader epoch, or -1 (KIP-320, T13).
  default ErrorCode check(int currentLeaderEpoch) {
    if (currentLeaderEpoch < 0 || currentLeaderEpoch == leaderEpoch()) {
      return error();
    }
    return currentLeaderEpoch < leaderEpoch()
        ? ErrorCode.FENCED_LEADER_EPOCH
        : ErrorCode.UNKNOWN_LEADER_EPOCH;
  }

  /// This broker takes writes and reads.
  ///
  /// @param replicas how many there are
  /// @param inSync how many of them are in sync, this one included
  /// @param minInSync how many `acks=all` asks for
  record Leading(int leaderEpoch, int replicas, int inSync, int minInSync) implements ReplicaState {
    /// Whether `acks=all` can be promised.
    boolean enoughInSync() {
      return inSync >= minInSync;
    }

    @Override
    public ErrorCode error() {
      return ErrorCode.NONE;
    }

    @Override
    public String message() {
      return "";
    }
  }

  /// Another broker does, or none.
  record Following(int leaderEpoch, int leader) implements ReplicaState {
    @Override
    public ErrorCode error() {
      return ErrorCode.NOT_LEADER_OR_FOLLOWER;
    }

    @Override
    public String message() {
      return leader < 0 ? "the partition has no leader" : "broker " + leader + " leads it";
    }
  }

  /// The log is not open, for there was no room; that is tried again.
  record Unopened(int leaderEpoch, String message) implements ReplicaState {
    @Override
    public ErrorCode error() {
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }

    @Override
    public ReplicaState applied(PartitionState metadata, int self, int minInSync) {
      return new Unopened(metadata.leaderEpoch(), message);
    }

    @Override
    public ReplicaState opened() {
      return new Following(leaderEpoch, -1);
    }

    @Override
    public ErrorCode check(int currentLeaderEpoch) {
      return error();
    }
  }

  /// The log cannot be used.
  record Offline(int leaderEpoch, String message) implements ReplicaState {
    @Override
    public ErrorCode error() {
      return ErrorCode.KAFKA_STORAGE_ERROR;
    }

    @Override
    public ReplicaState unopened(String reason) {
      return this;
    }

    @Override
    public ReplicaState applied(PartitionState metadata, int self, int minInSync) {
      return new Offline(metadata.leaderEpoch(), message);
    }

    @Override
    public ReplicaState failed(String reason) {
      return this;
    }

    @Override
    public ErrorCode check(int currentLeaderEpoch) {
      return error();
    }
  }

  /// There is no such replica here any more.
  record Gone(int leaderEpoch, ErrorCode error, String message) implements ReplicaState {
    @Override
    public ReplicaState unopened(String reason) {
      return this;
    }

    @Override
    public ReplicaState applied(PartitionState metadata, int self, int minInSync) {
      return this;
    }

    @Override
    public ReplicaState failed(String reason) {
      return this;
    }

    @Override
    public ErrorCode check(int currentLeaderEpoch) {
      return error();
    }
  }
}
