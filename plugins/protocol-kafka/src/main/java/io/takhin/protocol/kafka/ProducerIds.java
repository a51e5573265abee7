package io.takhin.protocol.kafka;

import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.ProducerIdBlock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Hands out producer ids from the blocks that this broker gets from the cluster, and asks for the
/// next block before the current one is used up.
///
/// Threading: any thread; the lock is held for a few field accesses only. Blocking: never. Errors:
/// the futures fail as [Cluster#allocateProducerIds] does; the next call asks again.
final class ProducerIds {
  /// Below this share of a block the next one is asked for.
  private static final int PREFETCH_DIVISOR = 10;

  private final Cluster cluster;
  private final Queue<CompletableFuture<Long>> waiting = new ArrayDeque<>();
  private long next;
  private long end;
  private long prefetchAt;
  private @Nullable ProducerIdBlock spare;
  private boolean asking;

  ProducerIds(Cluster cluster) {
    this.cluster = cluster;
  }

  /// A producer id that nobody had before.
  CompletableFuture<Long> take() {
    CompletableFuture<Long> id = new CompletableFuture<>();
    boolean ask;
    long taken;
    synchronized (this) {
      taken = takeHere();
      if (taken < 0) {
        waiting.add(id);
      }
      ask = !asking && spare == null && (taken < 0 || next >= prefetchAt);
      asking |= ask;
    }
    if (taken >= 0) {
      id.complete(taken);
    }
    if (ask) {
      cluster.allocateProducerIds().whenComplete(this::arrived);
    }
    return id;
  }

  /// The next id of the block, going on to the spare one; -1 if both are used up.
  private synchronized long takeHere() {
    ProducerIdBlock block = spare;
    if (next == end && block != null) {
      next = block.first();
      end = block.first() + block.size();
      prefetchAt = end - Math.max(1, block.size() / PREFETCH_DIVISOR);
      spare = null;
    }
    return next == end ? -1 : next++;
  }

  private void arrived(@Nullable ProducerIdBlock block, @Nullable Throwable failure) {
    List<CompletableFuture<Long>> served = new ArrayList<>();
    List<Long> ids = new ArrayList<>();
    List<CompletableFuture<Long>> failed = new ArrayList<>();
    boolean more;
    synchronized (this) {
      asking = false;
      spare = block;
      if (block == null) {
        failed.addAll(waiting);
        waiting.clear();
      }
      while (!waiting.isEmpty()) {
        long id = takeHere();
        if (id < 0) {
          break;
        }
        ids.add(id);
        served.add(waiting.remove());
      }
      more = !waiting.isEmpty();
      asking = more;
    }
    for (int i = 0; i < served.size(); i++) {
      served.get(i).complete(ids.get(i));
    }
    if (failure != null) {
      failed.forEach(future -> future.completeExceptionally(failure));
    }
    if (more) {
      cluster.allocateProducerIds().whenComplete(this::arrived);
    }
  }
}
