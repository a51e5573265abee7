package io.takhin.testkit.cluster;

import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A metadata log in memory, of one voter who always leads.
///
/// Appends are applied on the calling thread, listeners are told before the future completes, and
/// the future is complete when it is returned. A test may slip something in before the next append
/// ([#beforeNextAppend]) to make it lose the race, or let it fail ([#failNextAppend]).
///
/// Threading: any thread; appends run one after the other.
public final class InMemoryQuorum implements MetadataQuorum {
  private final int nodeId;
  private final List<MetadataListener> listeners = new ArrayList<>();
  private volatile MetadataImage image = MetadataImage.EMPTY;
  private @Nullable Runnable beforeNext;
  private @Nullable TakhinException failNext;

  /// An empty log on this node.
  public InMemoryQuorum(int nodeId) {
    this.nodeId = nodeId;
  }

  @Override
  public MetadataImage image() {
    return image;
  }

  @Override
  public CompletableFuture<Outcome> append(long expectedOffset, List<MetadataRecord> records) {
    Runnable interference;
    synchronized (this) {
      interference = beforeNext;
      beforeNext = null;
    }
    if (interference != null) {
      interference.run();
    }
    synchronized (this) {
      TakhinException failure = failNext;
      failNext = null;
      if (failure != null) {
        return CompletableFuture.failedFuture(failure);
      }
      MetadataImage before = image;
      if (before.offset() != expectedOffset) {
        return CompletableFuture.completedFuture(new Outcome.Conflict(before.offset()));
      }
      List<MetadataRecord> delta = List.copyOf(records);
      MetadataImage after = before.apply(delta);
      image = after;
      for (MetadataListener listener : List.copyOf(listeners)) {
        listener.changed(after, before, delta);
      }
      return CompletableFuture.completedFuture(new Outcome.Committed(after.offset()));
    }
  }

  @Override
  public QuorumState state() {
    return new QuorumState(nodeId, 1, image.offset(), List.of(nodeId));
  }

  /// Tells the listener of everything there is, and from then on of each change.
  public synchronized void subscribe(MetadataListener listener) {
    listener.changed(image, MetadataImage.EMPTY, List.of());
    listeners.add(listener);
  }

  /// Runs this once, before the next append looks at the offset it expects.
  public synchronized void beforeNextAppend(Runnable interference) {
    beforeNext = interference;
  }

  /// Lets the next append fail with this.
  public synchronized void failNextAppend(TakhinException failure) {
    failNext = failure;
  }
}
