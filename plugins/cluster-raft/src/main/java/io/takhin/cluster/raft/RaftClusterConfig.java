package io.takhin.cluster.raft;

import io.takhin.api.config.Key;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The settings of `cluster-raft`.
public record RaftClusterConfig(
    @Key(
            value = "storage.data.dir",
            defaultValue = "/tmp/takhin-data",
            doc = "Directory for all data. The default does not survive a reboot: set it.")
        Path dataDir,
    @Key(
            value = "kafka.broker.id",
            defaultValue = "1",
            min = 0,
            max = Integer.MAX_VALUE,
            doc =
                "This broker's id in the cluster. It is written to the data directory, and a directory"
                    + " of another id is refused.")
        int brokerId,
    @Key(
            value = "kafka.cluster.brokers",
            doc =
                "The ids of all brokers; empty means this one alone. More than one needs"
                    + " kafka.cluster.peers.")
        List<Integer> clusterBrokers,
    @Key(
            value = "kafka.cluster.peers",
            doc =
                "Where the brokers of the metadata quorum are, as id@host:port. Clusters of several"
                    + " brokers are not there yet: at most one entry, for this broker, is accepted.")
        List<String> clusterPeers,
    @Key(
            value = "server.port",
            defaultValue = "9092",
            min = 0,
            max = 65535,
            doc = "The port to listen on; 0 lets the system choose.")
        int serverPort,
    @Key(
            value = "kafka.advertised.host",
            defaultValue = "localhost",
            doc = "The host name or address that clients are told to connect to.")
        String advertisedHost,
    @Key(
            value = "kafka.advertised.port",
            defaultValue = "${server.port}",
            min = 1,
            max = 65535,
            doc =
                "The port that clients are told to connect to. With server.port 0 it must be set: the"
                    + " port that the system will choose is not known yet.")
        int advertisedPort,
    @Key(
            value = "kafka.num.partitions",
            defaultValue = "1",
            min = 1,
            max = 10_000,
            doc = "How many partitions a topic gets when whoever makes it does not say.")
        int numPartitions,
    @Key(
            value = "kafka.max.partitions.per.topic",
            defaultValue = "10000",
            min = 1,
            max = 200_000,
            doc = "The most partitions that one topic may have. One request adds at most 10000.")
        int maxPartitionsPerTopic,
    @Key(
            value = "replication.default.replication.factor",
            defaultValue = "1",
            min = 1,
            max = 32767,
            doc = "How many replicas a partition gets when whoever makes the topic does not say.")
        int defaultReplicationFactor,
    @Key(
            value = "kafka.start.timeout.ms",
            defaultValue = "30000",
            min = 1000,
            max = 3_600_000,
            doc =
                "How long a start waits for the metadata quorum to have a leader, before it gives up"
                    + " and says why.")
        int startTimeoutMs,
    @Key(
            value = "raft.heartbeat.timeout.ms",
            defaultValue = "1000",
            min = 100,
            max = 600_000,
            doc =
                "The shortest time without word from the quorum's leader after which a voter asks for"
                    + " an election.")
        int heartbeatTimeoutMs,
    @Key(
            value = "raft.election.timeout.ms",
            defaultValue = "3000",
            min = 100,
            max = 600_000,
            doc =
                "The longest such time; each voter waits at random between the two. At least"
                    + " raft.heartbeat.timeout.ms. The first election after a start waits for neither.")
        int electionTimeoutMs,
    @Key(
            value = "raft.leader.lease.timeout.ms",
            defaultValue = "500",
            min = 100,
            max = 600_000,
            doc =
                "How long a leader may answer reads after it last heard from a majority. At most"
                    + " raft.heartbeat.timeout.ms. A quorum of one always may.")
        int leaderLeaseTimeoutMs,
    @Key(
            value = "raft.commit.timeout.ms",
            defaultValue = "50",
            min = 1,
            max = 600_000,
            doc =
                "How long an idle leader may wait before it tells followers what is committed."
                    + " Accepted and without effect: Ratis tells them with the next heartbeat, and a"
                    + " quorum of one has no followers.")
        int commitTimeoutMs,
    @Key(
            value = "raft.snapshot.interval.ms",
            defaultValue = "120000",
            min = 1000,
            max = 86_400_000,
            doc =
                "A snapshot of the metadata is taken this often if anything changed since the last"
                    + " one.")
        int snapshotIntervalMs,
    @Key(
            value = "raft.snapshot.threshold",
            defaultValue = "8192",
            min = 1,
            max = 100_000_000,
            doc =
                "A snapshot is taken at once when this many entries of the log are not in the last"
                    + " one. The log before a snapshot is deleted, so a lower value means a quicker start.")
        int snapshotThreshold,
    @Key(
            value = "raft.prevote.enabled",
            defaultValue = "true",
            doc =
                "Whether a voter asks if it could win before it starts an election, so that one that"
                    + " was cut off does not depose a leader when it comes back.")
        boolean prevoteEnabled,
    @Key(
            value = "raft.max.append.entries",
            defaultValue = "64",
            min = 1,
            max = 65_536,
            doc = "How many entries of the log a leader sends to a follower in one message.")
        int maxAppendEntries) {

  private static final Pattern PEER = Pattern.compile("(\\d{1,9})@(.+):(\\d{1,5})");

  /// Copies the lists and checks what concerns more than one key.
  public RaftClusterConfig {
    clusterBrokers = List.copyOf(clusterBrokers);
    clusterPeers = List.copyOf(clusterPeers);
    if (electionTimeoutMs < heartbeatTimeoutMs) {
      throw new IllegalArgumentException(
          "raft.election.timeout.ms is %d, below raft.heartbeat.timeout.ms, which is %d: raise it"
              .formatted(electionTimeoutMs, heartbeatTimeoutMs));
    }
    if (leaderLeaseTimeoutMs > heartbeatTimeoutMs) {
      throw new IllegalArgumentException(
          "raft.leader.lease.timeout.ms is %d, above raft.heartbeat.timeout.ms, which is %d: lower it"
              .formatted(leaderLeaseTimeoutMs, heartbeatTimeoutMs));
    }
    checkMembers(brokerId, clusterBrokers, clusterPeers);
  }

  private static void checkMembers(int brokerId, List<Integer> brokers, List<String> peers) {
    if (!brokers.isEmpty() && !brokers.contains(brokerId)) {
      throw new IllegalArgumentException(
          "kafka.cluster.brokers is %s without this broker, kafka.broker.id %d: add it"
              .formatted(brokers, brokerId));
    }
    if (brokers.stream().distinct().count() > 1 && peers.isEmpty()) {
      throw new IllegalArgumentException(
          ("kafka.cluster.brokers names %s, but nothing says where they are: add"
                  + " kafka.cluster.peers with one \"id@host:port\" for each, or name only %d")
              .formatted(brokers, brokerId));
    }
    for (String peer : peers) {
      Matcher parts = PEER.matcher(peer);
      if (!parts.matches() || Integer.parseInt(parts.group(3)) > 65_535) {
        throw new IllegalArgumentException(
            "kafka.cluster.peers has \"" + peer + "\", which is not id@host:port");
      }
      if (peers.size() == 1 && Integer.parseInt(parts.group(1)) != brokerId) {
        throw new IllegalArgumentException(
            "kafka.cluster.peers has only \"%s\", which is not this broker, kafka.broker.id %d"
                .formatted(peer, brokerId));
      }
    }
    if (peers.size() > 1) {
      throw new IllegalArgumentException(
          "kafka.cluster.peers names "
              + peers.size()
              + " brokers: this version runs clusters of one broker only. Leave out"
              + " kafka.cluster.peers and name one id in kafka.cluster.brokers");
    }
  }
}
