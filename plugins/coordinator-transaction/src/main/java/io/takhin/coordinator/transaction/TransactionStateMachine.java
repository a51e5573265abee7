package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import io.takhin.coordinator.AppendErrors;
import io.takhin.coordinator.Deadlines;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.ShardEffects.Settled;
import io.takhin.coordinator.StateMachine;
import io.takhin.coordinator.transaction.Effects.Markers;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The transactional ids of one partition of `__transaction_state` as a state machine: inputs and
/// the time go in, [Effects] come out, and the same class replays the records that it once asked to
/// write. It does no I/O, reads no clock, starts no thread and never completes a future: the shard
/// does that in production, a simulation in the tests. The states are drawn at [TransactionState].
///
/// ```
/// request -+-> answered at once: done before, refused
///          +-> a new value is written; answered when it cannot be lost (one at a time for each id)
///          +-> waits: a value is being written, or a decided transaction lacks markers. Tried
///              again in the order of arrival when that is over, or after WAIT_MS answered
///              CONCURRENT_TRANSACTIONS, so that clients poll seldom
/// ```
///
/// Nothing is told to anybody, and no marker is written, before the record that says so is safe. A
/// write whose outcome is unknown changes nothing here; a later record for the same id overrules
/// it, and if none follows, a restart goes by the log.
///
/// Threads: one at a time for everything but [#entries], which reads published state.
final class TransactionStateMachine implements StateMachine<TransactionRecord, Effects> {
  private static final long RETRY_MS = 100;
  private static final long RETRY_FENCE_MS = 1_000;
  private static final long NEVER = Deadlines.NEVER;

  /// A transactional id.
  static final class Entry extends Deadlines.Armed {
    final String id;

    /// What the log has for certain. Written behind the gate, read by any thread.
    volatile Transaction current;

    private final WaitingRequests.Line waiting = new WaitingRequests.Line();
    private boolean writing;
    private boolean markersWritten;

    /// It may move later, as with each new transaction; the looks that are queued find it so.
    private long deadlineMs = NEVER;

    Entry(String id, Transaction current) {
      this.id = id;
      this.current = current;
    }
  }

  private final TransactionConfig config;
  private final int coordinatorEpoch;
  private final LongSupplier producerIds;
  private final TransactionCounters counters;
  private final Map<String, Entry> entries = new ConcurrentHashMap<>();
  private final Deadlines<Entry> deadlines = new Deadlines<>();
  private final WaitingRequests waiting = new WaitingRequests();
  private boolean resigned;

  /// A machine without ids.
  ///
  /// @param coordinatorEpoch leader epoch of the partition, by which markers of older coordinators
  ///     are told apart
  /// @param producerIds gives an id that nobody has, or -1 if there is none at the moment
  TransactionStateMachine(
      TransactionConfig config,
      int coordinatorEpoch,
      LongSupplier producerIds,
      TransactionCounters counters) {
    this.config = config;
    this.coordinatorEpoch = coordinatorEpoch;
    this.producerIds = producerIds;
    this.counters = counters;
  }

  /// Any thread.
  Collection<Entry> entries() {
    return entries.values();
  }

  /// Any thread; null for an id that is not known, or whose first record is not written yet.
  @Nullable Transaction transaction(String id) {
    Entry entry = entries.get(id);
    return entry == null || entry.current.producerEpoch() < 0 ? null : entry.current;
  }

  // Life.

  @Override
  public void replay(TransactionRecord record) {
    Transaction value = record.value();
    if (value == null || value.state() == TransactionState.DEAD) {
      entries.remove(record.transactionalId());
    } else {
      entries.put(record.transactionalId(), new Entry(record.transactionalId(), value));
    }
  }

  @Override
  public void loaded(Now now, Effects out) {
    for (Entry entry : entries.values()) {
      Transaction current = entry.current;
      if (current.state().prepared()) {
        sendMarkers(entry, now, out);
      } else if (current.state() == TransactionState.ONGOING) {
        long leftMs = current.startMs() + current.timeoutMs() - now.wallMs();
        arm(entry, now.monotonicMs() + Math.clamp(leftMs, 0, current.timeoutMs()));
      }
    }
  }

  @Override
  public void resign(ErrorCode error, Effects out) {
    resigned = true;
    waiting.refuseAll(error, out);
  }

  // Requests.

  /// InitProducerId.
  void init(
      Now now,
      String id,
      int timeoutMs,
      long producerId,
      short producerEpoch,
      CompletableFuture<InitResult> to,
      Effects out) {
    submit(
        now,
        new Request(id, producerId, producerEpoch) {
          @Override
          boolean attempt(Now at, Effects effects) {
            return tryInit(this, timeoutMs, to, at, effects);
          }

          @Override
          void refuse(ErrorCode error, Effects effects) {
            effects.answer(to, refused(error));
          }
        },
        out);
  }

  /// AddPartitionsToTxn: one error for all.
  void add(
      Now now,
      String id,
      long producerId,
      short producerEpoch,
      Collection<TxnPartition> partitions,
      CompletableFuture<ErrorCode> to,
      Effects out) {
    submit(now, new Add(id, producerId, producerEpoch, partitions, to), out);
  }

  /// Whether partitions are in the transaction.
  void verify(
      Now now,
      String id,
      long producerId,
      short producerEpoch,
      List<TxnPartition> partitions,
      CompletableFuture<List<ErrorCode>> to,
      Effects out) {
    submit(
        now,
        new Request(id, producerId, producerEpoch) {
          @Override
          boolean attempt(Now at, Effects effects) {
            return tryVerify(this, partitions, to, effects);
          }

          @Override
          void refuse(ErrorCode error, Effects effects) {
            effects.answer(to, partitions.stream().map(each -> error).toList());
          }
        },
        out);
  }

  /// EndTxn.
  void end(
      Now now,
      String id,
      long producerId,
      short producerEpoch,
      boolean commit,
      boolean bumpEpoch,
      CompletableFuture<InitResult> to,
      Effects out) {
    submit(
        now,
        new Request(id, producerId, producerEpoch) {
          @Override
          boolean attempt(Now at, Effects effects) {
            return tryEnd(this, commit, bumpEpoch, to, at, effects);
          }

          @Override
          void refuse(ErrorCode error, Effects effects) {
            effects.answer(to, refused(error));
          }
        },
        out);
  }

  private final class Add extends Request {
    final Collection<TxnPartition> partitions;
    final CompletableFuture<ErrorCode> to;

    Add(
        String id,
        long producerId,
        short producerEpoch,
        Collection<TxnPartition> partitions,
        CompletableFuture<ErrorCode> to) {
      super(id, producerId, producerEpoch);
      this.partitions = partitions;
      this.to = to;
    }

    @Override
    boolean attempt(Now now, Effects out) {
      return tryAdd(this, now, out);
    }

    @Override
    void refuse(ErrorCode error, Effects out) {
      out.answer(to, error);
    }
  }

  static InitResult refused(ErrorCode error) {
    return new InitResult(error, -1, (short) -1);
  }

  private void submit(Now now, Request request, Effects out) {
    Entry entry = entries.get(request.id);
    if (entry == null || entry.waiting.isEmpty()) {
      if (request.attempt(now, out)) {
        return;
      }
      entry = entries.get(request.id);
    }
    if (entry == null || !waiting.add(entry.waiting, request, now)) {
      request.refuse(ErrorCode.CONCURRENT_TRANSACTIONS, out);
    }
  }

  private boolean tryInit(
      Request request, int timeoutMs, CompletableFuture<InitResult> to, Now now, Effects out) {
    Entry entry = entries.get(request.id);
    if (entry == null) {
      return initFirst(request, timeoutMs, to, now, out);
    }
    Transaction current = entry.current;
    if (entry.writing || aheadOfCompletion(current, request)) {
      return false;
    }
    boolean expected = request.producerId >= 0;
    short epoch = request.producerEpoch;
    if (expected
        && request.producerId != current.producerId()
        && (request.producerId != current.previousProducerId() || epoch < Transaction.LAST_EPOCH)) {
      return fencedOut(to, out);
    }
    if (current.state().prepared()) {
      return false;
    }
    if (current.state() == TransactionState.ONGOING) {
      // The request comes back to a completed transaction and gets one more epoch than the fence,
      // unless the transaction's producer asks itself: that one gets the fence's (KIP-360).
      counters.fenced();
      boolean itself = expected && epoch == current.producerEpoch();
      fence(entry, itself ? epoch : Transaction.NO_EPOCH, now, out);
      return false;
    }
    Transaction next;
    if (current.exhausted() && (!expected || epoch == current.producerEpoch())) {
      long fresh = producerIds.getAsLong();
      if (fresh < 0) {
        return noProducerId(to, out);
      }
      short last = expected ? current.producerEpoch() : Transaction.NO_EPOCH;
      next = current.rotated(fresh, last, timeoutMs, now.wallMs());
    } else if (!expected || epoch == current.producerEpoch()) {
      short last = expected ? current.producerEpoch() : Transaction.NO_EPOCH;
      short bumped = (short) (current.producerEpoch() + 1);
      next = current.initialized(bumped, last, timeoutMs, now.wallMs());
    } else if (epoch >= 0 && epoch == current.lastProducerEpoch()) {
      // The answer to the same request was lost (KIP-360).
      next =
          current.initialized(
              current.producerEpoch(), current.lastProducerEpoch(), timeoutMs, now.wallMs());
    } else {
      return fencedOut(to, out);
    }
    writeInit(entry, next, to, out);
    return true;
  }

  private boolean fencedOut(CompletableFuture<InitResult> to, Effects out) {
    counters.refusedAsFenced();
    out.answer(to, refused(ErrorCode.PRODUCER_FENCED));
    return true;
  }

  private static boolean noProducerId(CompletableFuture<InitResult> to, Effects out) {
    out.answer(to, refused(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS));
    return true;
  }

  private boolean initFirst(
      Request request, int timeoutMs, CompletableFuture<InitResult> to, Now now, Effects out) {
    long fresh = producerIds.getAsLong();
    if (fresh < 0) {
      return noProducerId(to, out);
    }
    Transaction none = Transaction.fresh(fresh, timeoutMs, now.wallMs());
    Entry entry = new Entry(request.id, none);
    entries.put(request.id, entry);
    Transaction first = none.initialized((short) 0, Transaction.NO_EPOCH, timeoutMs, now.wallMs());
    writeInit(entry, first, to, out);
    return true;
  }

  private void writeInit(
      Entry entry, Transaction next, CompletableFuture<InitResult> to, Effects out) {
    write(
        entry,
        next,
        out,
        (error, now, then) ->
            then.answer(
                to,
                error == ErrorCode.NONE
                    ? new InitResult(ErrorCode.NONE, next.producerId(), next.producerEpoch())
                    : refused(error)));
  }

  /// Whether the producer already goes by what it was told at the end of a transaction that still
  /// lacks markers.
  private static boolean aheadOfCompletion(Transaction current, Request request) {
    return current.state().prepared()
        && current.nextProducerId() != Transaction.NO_ID
        && current.nextProducerId() == request.producerId;
  }

  private ErrorCode check(Transaction current, Request request) {
    if (current.producerId() != request.producerId) {
      return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
    }
    if (current.producerEpoch() != request.producerEpoch) {
      counters.refusedAsFenced();
      return ErrorCode.PRODUCER_FENCED;
    }
    return ErrorCode.NONE;
  }

  private boolean tryAdd(Add request, Now now, Effects out) {
    Entry entry = entries.get(request.id);
    if (entry == null) {
      out.answer(request.to, ErrorCode.INVALID_PRODUCER_ID_MAPPING);
      return true;
    }
    Transaction current = entry.current;
    if (entry.writing || aheadOfCompletion(current, request)) {
      return false;
    }
    ErrorCode error = check(current, request);
    if (error != ErrorCode.NONE) {
      out.answer(request.to, error);
      return true;
    }
    if (current.state().prepared()) {
      return false;
    }
    if (current.state() == TransactionState.ONGOING
        && current.partitions().containsAll(request.partitions)) {
      out.answer(request.to, ErrorCode.NONE);
      return true;
    }
    List<TxnPartition> added = new ArrayList<>(request.partitions);
    List<CompletableFuture<ErrorCode>> told = new ArrayList<>(List.of(request.to));
    absorb(entry, request, added, told);
    Transaction next = current.with(added, now.wallMs());
    boolean begins = current.state() != TransactionState.ONGOING;
    write(
        entry,
        next,
        out,
        (appended, at, then) -> {
          if (appended == ErrorCode.NONE && begins) {
            arm(entry, at.monotonicMs() + next.timeoutMs());
          }
          told.forEach(to -> then.answer(to, appended));
        });
    return true;
  }

  /// Partitions that arrive one by one, as those of a produce do, share one record.
  private void absorb(
      Entry entry, Add first, List<TxnPartition> added, List<CompletableFuture<ErrorCode>> told) {
    Iterator<Request> rest = entry.waiting.iterator();
    while (rest.hasNext()) {
      Request next = rest.next();
      if (next == first) {
        continue; // it is the head of the queue, and removed by who resumed it
      }
      if (!(next instanceof Add add)
          || add.producerId != first.producerId
          || add.producerEpoch != first.producerEpoch) {
        return;
      }
      added.addAll(add.partitions);
      told.add(add.to);
      add.done = true;
      rest.remove();
    }
  }

  private boolean tryVerify(
      Request request,
      List<TxnPartition> partitions,
      CompletableFuture<List<ErrorCode>> to,
      Effects out) {
    Entry entry = entries.get(request.id);
    if (entry == null) {
      request.refuse(ErrorCode.INVALID_PRODUCER_ID_MAPPING, out);
      return true;
    }
    Transaction current = entry.current;
    if (entry.writing || aheadOfCompletion(current, request)) {
      return false;
    }
    ErrorCode error = check(current, request);
    if (error == ErrorCode.NONE && current.state().prepared()) {
      return false;
    }
    if (error != ErrorCode.NONE) {
      request.refuse(error, out);
      return true;
    }
    boolean open = current.state() == TransactionState.ONGOING;
    out.answer(
        to,
        partitions.stream()
            .map(
                each ->
                    open && current.partitions().contains(each)
                        ? ErrorCode.NONE
                        : ErrorCode.TRANSACTION_ABORTABLE)
            .toList());
    return true;
  }

  private boolean tryEnd(
      Request request,
      boolean commit,
      boolean bumpEpoch,
      CompletableFuture<InitResult> to,
      Now now,
      Effects out) {
    Entry entry = entries.get(request.id);
    if (entry == null) {
      out.answer(to, refused(ErrorCode.INVALID_PRODUCER_ID_MAPPING));
      return true;
    }
    Transaction current = entry.current;
    if (entry.writing || aheadOfCompletion(current, request)) {
      return false;
    }
    boolean again = bumpEpoch && endedBefore(current, request);
    ErrorCode error = again ? ErrorCode.NONE : check(current, request);
    if (error != ErrorCode.NONE) {
      out.answer(to, refused(error));
      return true;
    }
    TransactionState state = current.state();
    if (again || (!bumpEpoch && (state.prepared() || state == completed(commit)))) {
      boolean same = state == completed(commit) || state == prepared(commit);
      out.answer(to, same ? outcome(current) : refused(ErrorCode.INVALID_TXN_STATE));
      return true;
    }
    if (state.prepared()) {
      return false; // the producer is at its next transaction already (KIP-890)
    }
    if (state != TransactionState.ONGOING && (commit || !bumpEpoch)) {
      out.answer(to, refused(ErrorCode.INVALID_TXN_STATE));
      return true;
    }
    Transaction next;
    if (bumpEpoch) {
      long fresh = current.exhausted() ? producerIds.getAsLong() : Transaction.NO_ID;
      if (current.exhausted() && fresh < 0) {
        return noProducerId(to, out);
      }
      next = current.preparedWithNextEpoch(commit, fresh, now.wallMs());
    } else {
      next = current.prepared(commit, now.wallMs());
    }
    decide(
        entry,
        next,
        out,
        (appended, then) ->
            then.answer(to, appended == ErrorCode.NONE ? outcome(next) : refused(appended)));
    return true;
  }

  private static TransactionState prepared(boolean commit) {
    return commit ? TransactionState.PREPARE_COMMIT : TransactionState.PREPARE_ABORT;
  }

  private static TransactionState completed(boolean commit) {
    return commit ? TransactionState.COMPLETE_COMMIT : TransactionState.COMPLETE_ABORT;
  }

  /// With a new epoch for each transaction, the old one in a request tells that it came before: its
  /// answer was lost, or it was overtaken (KIP-890).
  private static boolean endedBefore(Transaction current, Request request) {
    if (current.clientVersion() != Transaction.VERSION_2
        || !(current.state().prepared()
            || current.state() == TransactionState.COMPLETE_COMMIT
            || current.state() == TransactionState.COMPLETE_ABORT)) {
      return false;
    }
    boolean bumped =
        current.producerId() == request.producerId
            && current.producerEpoch() == request.producerEpoch + 1;
    boolean overflowed =
        current.previousProducerId() == request.producerId
            && request.producerEpoch == Transaction.LAST_EPOCH
            && current.producerEpoch() == 0;
    return bumped || overflowed;
  }

  /// What the producer goes on with.
  private static InitResult outcome(Transaction ended) {
    return ended.nextProducerId() != Transaction.NO_ID
        ? new InitResult(ErrorCode.NONE, ended.nextProducerId(), (short) 0)
        : new InitResult(ErrorCode.NONE, ended.producerId(), ended.producerEpoch());
  }

  // The way to the end of a transaction.

  private interface Told {
    void tell(ErrorCode error, Effects out);
  }

  private void fence(Entry entry, short lastEpoch, Now now, Effects out) {
    decide(entry, entry.current.fenced(lastEpoch, now.wallMs()), out, (error, then) -> {});
  }

  private void decide(Entry entry, Transaction next, Effects out, Told told) {
    write(
        entry,
        next,
        out,
        (error, now, then) -> {
          told.tell(error, then);
          if (error == ErrorCode.NONE) {
            counters.decided(next.state() == TransactionState.PREPARE_COMMIT);
            sendMarkers(entry, now, then);
          } else if (entry.current.state() == TransactionState.ONGOING
              && entry.deadlineMs == NEVER) {
            arm(entry, now.monotonicMs() + RETRY_FENCE_MS);
          }
        });
  }

  private void sendMarkers(Entry entry, Now now, Effects out) {
    Transaction decided = entry.current;
    entry.deadlineMs = NEVER;
    entry.markersWritten = decided.partitions().isEmpty();
    if (entry.markersWritten) {
      complete(entry, now, out);
    } else if (!resigned) {
      out.markers(
          new Markers(
              entry.id,
              decided.producerId(),
              decided.producerEpoch(),
              coordinatorEpoch,
              decided.state() == TransactionState.PREPARE_COMMIT,
              decided.clientVersion(),
              List.copyOf(decided.partitions())));
    }
  }

  /// All of these markers are in their logs.
  void markersWritten(Now now, Markers markers, Effects out) {
    Entry entry = entries.get(markers.transactionalId());
    if (entry != null
        && entry.current.state().prepared()
        && entry.current.producerId() == markers.producerId()
        && entry.current.producerEpoch() == markers.producerEpoch()) {
      entry.markersWritten = true;
      complete(entry, now, out);
    }
  }

  private void complete(Entry entry, Now now, Effects out) {
    if (entry.writing || resigned) {
      return;
    }
    write(
        entry,
        entry.current.completed(now.wallMs()),
        out,
        (error, at, then) -> {
          if (error != ErrorCode.NONE) {
            arm(entry, at.monotonicMs() + RETRY_MS);
          }
        });
  }

  // Writing.

  private void write(Entry entry, Transaction next, Effects out, Settled<Effects> then) {
    entry.writing = true;
    out.write(
        List.of(
            new TransactionRecord(entry.id, next.state() == TransactionState.DEAD ? null : next)),
        (error, now, effects) -> {
          entry.writing = false;
          if (error == ErrorCode.NONE) {
            entry.current = next;
            if (next.state() == TransactionState.DEAD) {
              entries.remove(entry.id, entry);
            }
          } else if (entry.current.producerEpoch() < 0) {
            entries.remove(entry.id, entry);
          }
          ErrorCode told = AppendErrors.told(error);
          then.settled(told, now, effects);
          if (resigned) {
            waiting.refuse(entry.waiting, ErrorCode.NOT_COORDINATOR, effects);
          } else if (error != ErrorCode.NONE) {
            // Not tried again at once: what follows would fail as well, again and again.
            waiting.refuse(entry.waiting, told, effects);
          } else if (!entry.writing) {
            waiting.resume(entry.waiting, now, effects);
          }
        });
  }

  // Time.

  @Override
  public long nextDeadlineMs() {
    return Math.min(deadlines.nextMs(), waiting.nextMs());
  }

  int queuedDeadlines() {
    return deadlines.size();
  }

  @Override
  public void expire(Now now, Effects out) {
    waiting.expire(now, out);
    Entry entry = deadlines.due(now.monotonicMs());
    while (entry != null) {
      long deadlineMs = entry.deadlineMs;
      entry.deadlineMs = NEVER;
      if (deadlineMs <= now.monotonicMs()) {
        due(entry, now, out);
      } else if (deadlineMs != NEVER) {
        arm(entry, deadlineMs);
      }
      entry = deadlines.due(now.monotonicMs());
    }
  }

  private void arm(Entry entry, long deadlineMs) {
    entry.deadlineMs = deadlineMs;
    deadlines.arm(entry, deadlineMs);
  }

  private void due(Entry entry, Now now, Effects out) {
    TransactionState state = entry.current.state();
    if (entry.writing) {
      arm(entry, now.monotonicMs() + RETRY_MS);
    } else if (state == TransactionState.ONGOING) {
      counters.timedOut();
      fence(entry, Transaction.NO_EPOCH, now, out);
    } else if (state.prepared() && entry.markersWritten) {
      complete(entry, now, out);
    }
  }

  /// Forgets ids that nobody used for long.
  void expireIds(Now now, Effects out) {
    for (Entry entry : entries.values()) {
      Transaction current = entry.current;
      if (current.state().idle()
          && !entry.writing
          && entry.waiting.isEmpty()
          && current.lastUpdateMs() + config.idExpirationMs() <= now.wallMs()) {
        write(entry, current.dead(), out, (error, at, then) -> {});
      }
    }
  }
}
