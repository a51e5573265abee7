package io.takhin.coordinator.transaction;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.ProducerIdBlock;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Producer ids out of the blocks that the cluster gives to this broker. The next block is fetched
/// before the last one ends, so that who takes an id does not wait.
///
/// Threads: any.
final class ProducerIds {
  private static final Logger LOG = LoggerFactory.getLogger(ProducerIds.class);

  private final Cluster cluster;
  private long next;
  private long end;
  private long fetchAt;
  private @Nullable ProducerIdBlock spare;
  private @Nullable CompletableFuture<Boolean> fetching;

  ProducerIds(Cluster cluster) {
    this.cluster = cluster;
  }

  /// Completes when there are ids; with false if the cluster gives none at the moment.
  CompletableFuture<Boolean> ready() {
    synchronized (this) {
      if (next < end || spare != null) {
        return CompletableFuture.completedFuture(true);
      }
    }
    return fetch();
  }

  /// An id that nobody has, or -1.
  long take() {
    long taken;
    boolean low;
    synchronized (this) {
      ProducerIdBlock block = spare;
      if (next == end && block != null) {
        use(block);
        spare = null;
      }
      taken = next < end ? next++ : -1;
      low = next >= fetchAt && spare == null;
    }
    if (low) {
      var _ = fetch();
    }
    return taken;
  }

  private void use(ProducerIdBlock block) {
    next = block.first();
    end = block.first() + block.size();
    fetchAt = end - Math.max(1, block.size() / 10);
  }

  private CompletableFuture<Boolean> fetch() {
    CompletableFuture<Boolean> mine = new CompletableFuture<>();
    synchronized (this) {
      CompletableFuture<Boolean> running = fetching;
      if (running != null) {
        return running;
      }
      fetching = mine;
    }
    var _ =
        cluster
            .allocateProducerIds()
            .whenComplete(
                (block, failure) -> {
                  synchronized (this) {
                    fetching = null;
                    if (block != null) {
                      spare = block;
                    }
                  }
                  if (failure != null) {
                    LOG.warn("The cluster gives no producer ids; clients try again", failure);
                  }
                  mine.complete(failure == null);
                });
    return mine;
  }
}
