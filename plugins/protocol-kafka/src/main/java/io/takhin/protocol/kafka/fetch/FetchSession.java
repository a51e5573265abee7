package io.takhin.protocol.kafka.fetch;

import io.takhin.protocol.kafka.net.Loop;

/// An incremental fetch session (KIP-227): the client names only what changed.
///
/// ```
///  epoch 0: made ──> expects 1 ──> expects 2 ──> ... ──> expects MAX ──> expects 1
///                        └── another epoch: error 71, the session stays
///  epoch -1, evicted, empty, or connection gone: forgotten; then error 70
/// ```
///
/// A session belongs to its connection and ends with it; a client that reconnects gets error 70 and
/// begins anew, as after an eviction.
final class FetchSession extends CursorSet {
  private final int id;
  private final boolean topicIds;
  private final FetchConnection owner;
  private int epoch = 1;
  private long usedNanos;

  FetchSession(Loop loop, FetchConnection owner, int id, boolean topicIds) {
    super(loop);
    this.owner = owner;
    this.id = id;
    this.topicIds = topicIds;
  }

  int id() {
    return id;
  }

  boolean topicIds() {
    return topicIds;
  }

  FetchConnection owner() {
    return owner;
  }

  int epoch() {
    return epoch;
  }

  long usedNanos() {
    return usedNanos;
  }

  void nextEpoch() {
    epoch = epoch == Integer.MAX_VALUE ? 1 : epoch + 1;
  }

  void used(long nowNanos) {
    usedNanos = nowNanos;
  }
}
