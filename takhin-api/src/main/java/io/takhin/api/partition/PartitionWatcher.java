package io.takhin.api.partition;

import io.takhin.api.Api;

/// Waits for data in one partition or in many: a parked fetch.
///
/// Threading: whichever thread made the data visible; calls for different partitions may overlap.
/// Blocking: no; count, and wake the owner. Buffers: none. Errors: must not throw.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface PartitionWatcher {
  /// So many more bytes are visible.
  void advanced(Partition partition, long bytes);

  /// Waiting is over: the leader changed, the topic was deleted, or the log went offline.
  void changed(Partition partition);
}
