package io.takhin.cluster.raft;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;

/// Our settings in the words of Ratis, and what it needs to be set to for a quorum of one.
final class RatisProperties {
  /// The largest append: some 100,000 partitions.
  static final int MAX_APPEND_BYTES = 4 << 20;

  private static final int ENTRY_OVERHEAD_BYTES = 64 << 10;

  private RatisProperties() {}

  static RaftProperties of(RaftClusterConfig config, Path directory) {
    RaftProperties properties = new RaftProperties();
    properties.set("raft.rpc.type", SoleTransport.class.getName());
    RaftServerConfigKeys.setStorageDir(properties, List.of(directory.toFile()));
    RaftServerConfigKeys.setStorageFreeSpaceMin(properties, SizeInBytes.ZERO);
    elections(properties, config);
    log(properties, config);
    snapshots(properties, config);
    return properties;
  }

  private static void elections(RaftProperties properties, RaftClusterConfig config) {
    int min = config.heartbeatTimeoutMs();
    int max = Math.max(config.electionTimeoutMs(), min + 1);
    RaftServerConfigKeys.Rpc.setTimeoutMin(properties, ms(min));
    RaftServerConfigKeys.Rpc.setTimeoutMax(properties, ms(max));
    // Nobody else can lead: waiting for word from a leader at start would be waiting for nothing.
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(properties, ms(1));
    RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(properties, ms(2));
    RaftServerConfigKeys.LeaderElection.setPreVote(properties, config.prevoteEnabled());
    RaftServerConfigKeys.Read.setLeaderLeaseEnabled(properties, true);
    RaftServerConfigKeys.Read.setLeaderLeaseTimeoutRatio(
        properties, Math.min(1.0, (double) config.leaderLeaseTimeoutMs() / min));
    // A process that was stopped for a while (a suspended laptop) has been deposed by nobody.
    TimeDuration forever = TimeDuration.valueOf(3650, TimeUnit.DAYS);
    RaftServerConfigKeys.LeaderElection.setLeaderStepDownWaitTime(properties, forever);
    RaftServerConfigKeys.setCloseThreshold(properties, forever);
  }

  private static void log(RaftProperties properties, RaftClusterConfig config) {
    SizeInBytes entry = SizeInBytes.valueOf(MAX_APPEND_BYTES + ENTRY_OVERHEAD_BYTES);
    RaftServerConfigKeys.Log.Appender.setBufferByteLimit(properties, entry);
    RaftServerConfigKeys.Log.Appender.setBufferElementLimit(properties, config.maxAppendEntries());
    RaftServerConfigKeys.Log.setWriteBufferSize(
        properties, SizeInBytes.valueOf(entry.getSize() + ENTRY_OVERHEAD_BYTES));
    // Small segments, for only closed ones can be deleted after a snapshot.
    RaftServerConfigKeys.Log.setSegmentSizeMax(properties, SizeInBytes.valueOf("8MB"));
    RaftServerConfigKeys.Log.setPreallocatedSize(properties, SizeInBytes.valueOf("64KB"));
    RaftServerConfigKeys.Log.setSegmentCacheNumMax(properties, 2);
    RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(properties, true);
    RaftServerConfigKeys.Log.setPurgeGap(properties, 1);
  }

  private static void snapshots(RaftProperties properties, RaftClusterConfig config) {
    RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(properties, true);
    RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(properties, config.snapshotThreshold());
    RaftServerConfigKeys.Snapshot.setCreationGap(properties, 1);
    // Ratis keeps as many with a digest, and deletes older ones.
    RaftServerConfigKeys.Snapshot.setRetentionFileNum(properties, 2);
    RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(properties, false);
  }

  private static TimeDuration ms(int ms) {
    return TimeDuration.valueOf(ms, TimeUnit.MILLISECONDS);
  }
}
