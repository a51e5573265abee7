package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataQuorum.Outcome;
import io.takhin.api.cluster.MetadataRecord;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// Turns requests into appends, one append at a time.
///
/// ```
///  propose(decider) --> queue --> round: image = quorum.image()
///                        ^         for each waiting: decide(image), image = image + records
///                        |         one append of all records, if the image is still the newest
///                        |            |                 |                    |
///                        +--- Conflict: again       Committed: results    failure: all fail
/// ```
///
/// Whoever comes while an append is under way waits for the next round, and goes into one append
/// with all others: brokers that are asked to make many topics at a time pay for one fsync, and
/// this broker never races itself.
///
/// Threading: [#propose] from any thread; deciders run on the executor, one at a time. A decider
/// may run more than once.
final class Proposals {
  /// After so many lost races in a row something is wrong, and the client hears of it.
  private static final int MAX_ATTEMPTS = 50;

  /// Rounds end here, so that an append stays well below its largest size.
  private static final int MAX_RECORDS = 20_000;

  private static final int MAX_WAITING = 10_000;

  private final MetadataQuorum quorum;
  private final Executor executor;
  private final AtomicLong conflicts = new AtomicLong();
  private final Deque<Proposal<?>> waiting = new ArrayDeque<>(); // guarded by waiting
  private boolean running; // guarded by waiting

  Proposals(MetadataQuorum quorum, Executor executor) {
    this.quorum = quorum;
    this.executor = executor;
  }

  private static final class Proposal<R> {
    private final Function<MetadataImage, Decision<R>> decider;
    private final CompletableFuture<R> future = new CompletableFuture<>();
    private @Nullable Decision<R> decision;
    private int attempts;

    Proposal(Function<MetadataImage, Decision<R>> decider) {
      this.decider = decider;
    }

    List<MetadataRecord> decide(MetadataImage image) {
      Decision<R> made = decider.apply(image);
      decision = made;
      return made.records();
    }

    void complete() {
      Decision<R> made = decision;
      if (made != null) {
        future.complete(made.result());
      }
    }
  }

  /// How many appends lost a race.
  long conflicts() {
    return conflicts.get();
  }

  <R> CompletableFuture<R> propose(Function<MetadataImage, Decision<R>> decider) {
    Proposal<R> proposal = new Proposal<>(decider);
    boolean begin;
    synchronized (waiting) {
      if (waiting.size() >= MAX_WAITING) {
        return CompletableFuture.failedFuture(
            new TakhinException(
                ErrorCode.NOT_CONTROLLER,
                MAX_WAITING + " changes of metadata are waiting already; try again later"));
      }
      waiting.add(proposal);
      begin = !running;
      running = true;
    }
    if (begin) {
      startRound();
    }
    return proposal.future;
  }

  private void startRound() {
    try {
      executor.execute(this::round);
    } catch (RejectedExecutionException e) {
      failAll(
          take(Integer.MAX_VALUE),
          new TakhinException(ErrorCode.NOT_CONTROLLER, "the broker is stopping", e));
      synchronized (waiting) {
        running = false;
      }
    }
  }

  private List<Proposal<?>> take(int most) {
    synchronized (waiting) {
      List<Proposal<?>> taken = new ArrayList<>();
      while (taken.size() < most && !waiting.isEmpty()) {
        taken.add(waiting.remove());
      }
      return taken;
    }
  }

  private void round() {
    MetadataImage image = quorum.image();
    MetadataImage work = image;
    List<MetadataRecord> records = new ArrayList<>();
    List<Proposal<?>> decided = new ArrayList<>();
    while (records.size() < MAX_RECORDS) {
      List<Proposal<?>> next = take(1);
      if (next.isEmpty()) {
        break;
      }
      Proposal<?> proposal = next.getFirst();
      try {
        List<MetadataRecord> own = proposal.decide(work);
        if (!records.isEmpty() && records.size() + own.size() > MAX_RECORDS) {
          synchronized (waiting) {
            waiting.addFirst(proposal);
          }
          break;
        }
        if (!own.isEmpty()) {
          work = work.apply(own);
          records.addAll(own);
        }
        decided.add(proposal);
      } catch (RuntimeException e) {
        // A defect of the deciding code: the request fails, the others go on.
        proposal.future.completeExceptionally(e);
      }
    }
    if (records.isEmpty()) {
      decided.forEach(Proposal::complete);
      next();
      return;
    }
    quorum
        .append(image.offset(), records)
        .whenComplete((outcome, failure) -> ended(decided, outcome, failure));
  }

  private void ended(
      List<Proposal<?>> decided, @Nullable Outcome outcome, @Nullable Throwable failure) {
    switch (outcome) {
      case null ->
          failAll(
              decided,
              failure == null ? new IllegalStateException("neither outcome nor failure") : failure);
      case Outcome.Committed ignored -> decided.forEach(Proposal::complete);
      case Outcome.Conflict ignored -> {
        conflicts.incrementAndGet();
        again(decided);
      }
    }
    next();
  }

  private void again(List<Proposal<?>> decided) {
    for (Proposal<?> proposal : decided.reversed()) {
      if (++proposal.attempts < MAX_ATTEMPTS) {
        synchronized (waiting) {
          waiting.addFirst(proposal);
        }
      } else {
        proposal.future.completeExceptionally(
            new TakhinException(
                ErrorCode.NOT_CONTROLLER,
                "the metadata changed " + MAX_ATTEMPTS + " times under this request; try again"));
      }
    }
  }

  private static void failAll(List<Proposal<?>> proposals, Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    proposals.forEach(proposal -> proposal.future.completeExceptionally(cause));
  }

  private void next() {
    boolean more;
    synchronized (waiting) {
      more = !waiting.isEmpty();
      running = more;
    }
    if (more) {
      startRound();
    }
  }
}
