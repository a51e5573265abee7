package io.takhin.protocol.kafka.net;

import org.jspecify.annotations.Nullable;

/// Work that another thread hands to a loop; also the node of the queue that it goes through, so
/// that a hand-over allocates nothing. It may be queued again once it has begun to run.
public abstract class LoopTask {
  @Nullable LoopTask nextTask;

  /// Work that is not queued yet.
  protected LoopTask() {}

  /// Runs on the loop.
  protected abstract void runOnLoop();
}
