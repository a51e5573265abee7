/// The metadata of the cluster: beside the way of the data, asked by stages 1, 4 and 6 of 7.
///
/// Owns the metadata log below `<storage.data.dir>/__metadata` and everything that is decided by
/// writing to it: topics, assignments, configs, producer id blocks, brokers. It never touches the
/// logs of partitions: whoever keeps those subscribes and follows.
///
/// ```
/// request --> RaftCluster --> Proposals --------> RaftQuorum --> Ratis --> MetadataStateMachine
///             (Cluster)       decide(image)       append(if      log,      apply, listeners,
///                             -> records, result  unchanged)     fsync     snapshots
/// ```
///
/// What decides ([io.takhin.cluster.raft.TopicDecisions], [io.takhin.cluster.raft.ConfigDecisions])
/// is a function of image and request, without I/O or clocks.
///
/// Threads: requests come from any thread and are decided on a thread `takhin-cluster-raft-decide`;
/// futures complete on `takhin-cluster-raft-reply`; the log is applied, and listeners are told, on
/// Ratis' state machine updater.
package io.takhin.cluster.raft;
