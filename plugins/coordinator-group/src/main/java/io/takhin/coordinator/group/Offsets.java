package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.DeletedOffsets;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.TxnCommitRequest;
import io.takhin.coordinator.AppendErrors;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.ShardEffects.TxnMarker;
import io.takhin.coordinator.ShardEffects.TxnProducer;
import io.takhin.coordinator.WireWriter;
import io.takhin.coordinator.group.GroupRecord.OffsetCommit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// How far groups have consumed. An offset counts, and can be fetched, from the moment in which its
/// record cannot be lost any more.
///
/// Deleting looks at what is there; so that no commit that is under way slips past it, the shard
/// brings deletions only when nothing is.
final class Offsets {
  private final Groups groups;
  private final GroupConfig config;

  Offsets(Groups groups, GroupConfig config) {
    this.groups = groups;
    this.config = config;
  }

  void commit(Now now, CommitRequest request, CompletableFuture<List<ErrorCode>> to, Effects out) {
    Group group = groups.get(request.groupId());
    ErrorCode error = checkCommit(group, request);
    if (error != ErrorCode.NONE) {
      out.answer(to, Collections.nCopies(request.offsets().size(), error));
      return;
    }
    if (group != null
        && (group.is(GroupState.STABLE) || group.is(GroupState.PREPARING_REBALANCE))) {
      Member member = group.member(request.memberId());
      if (member != null && !member.fresh) {
        member.touch(now.monotonicMs());
      }
    }
    ErrorCode[] results = new ErrorCode[request.offsets().size()];
    List<OffsetCommit> records =
        records(now, request.groupId(), request.offsets(), request.expireTimeMs(), results);
    if (records.isEmpty()) {
      out.answer(to, List.of(results));
      return;
    }
    long order = groups.pending().nextOrder();
    out.write(
        List.copyOf(records),
        (appended, settledAt, then) -> {
          if (inLog(appended)) {
            records.forEach(record -> groups.apply(record, order, settledAt.wallMs()));
          }
          if (appended != ErrorCode.NONE) {
            ErrorCode told = commitError(appended);
            Arrays.setAll(results, i -> results[i] == ErrorCode.NONE ? told : results[i]);
          }
          then.answer(to, List.of(results));
        });
  }

  /// The offsets that can be committed; `results` says what is wrong with the others.
  private List<OffsetCommit> records(
      Now now,
      String groupId,
      List<OffsetToCommit> offsets,
      long expireTimeMs,
      ErrorCode[] results) {
    List<OffsetCommit> records = new ArrayList<>(results.length);
    for (int i = 0; i < results.length; i++) {
      OffsetToCommit each = offsets.get(i);
      results[i] = checkOffset(each);
      if (results[i] == ErrorCode.NONE) {
        CommittedOffset value =
            new CommittedOffset(
                each.offset(), each.leaderEpoch(), each.metadata(), now.wallMs(), expireTimeMs);
        records.add(new OffsetCommit(groupId, each.topic(), each.partition(), value));
      }
    }
    return records;
  }

  /// Offsets of a transaction: undecided from the moment in which they are on their way, so that
  /// nobody takes what is there for stable.
  void commitTransactional(
      Now now, TxnCommitRequest request, CompletableFuture<List<ErrorCode>> to, Effects out) {
    ErrorCode error = checkTransactional(groups.get(request.groupId()), request);
    if (error != ErrorCode.NONE) {
      out.answer(to, Collections.nCopies(request.offsets().size(), error));
      return;
    }
    ErrorCode[] results = new ErrorCode[request.offsets().size()];
    List<OffsetCommit> records = records(now, request.groupId(), request.offsets(), -1, results);
    if (records.isEmpty()) {
      out.answer(to, List.of(results));
      return;
    }
    TxnProducer producer = new TxnProducer(request.producerId(), request.producerEpoch());
    PendingOffsets pending = groups.pending();
    long order = pending.nextOrder();
    records.forEach(record -> pending.add(producer.id(), record, order));
    out.writeTransactional(
        producer,
        List.copyOf(records),
        (appended, settledAt, then) -> {
          if (!inLog(appended)) {
            pending.refused(producer.id(), order, settledAt.wallMs());
          }
          if (appended != ErrorCode.NONE) {
            ErrorCode told = transactionalError(appended);
            Arrays.setAll(results, i -> results[i] == ErrorCode.NONE ? told : results[i]);
          }
          then.answer(to, List.of(results));
        });
  }

  private static ErrorCode transactionalError(ErrorCode append) {
    return switch (append) {
      case INVALID_PRODUCER_EPOCH, INVALID_PRODUCER_ID_MAPPING, INVALID_TXN_STATE -> append;
      case PRODUCER_FENCED -> ErrorCode.INVALID_PRODUCER_EPOCH;
      default -> commitError(append);
    };
  }

  /// A transaction's producer speaks for a member if it says so (KIP-447), and then that member
  /// must be in this generation, though it may be in the middle of a rebalance: what it has
  /// consumed it has consumed. Who says nothing, as before KIP-447, is fenced by its epoch alone.
  private ErrorCode checkTransactional(@Nullable Group group, TxnCommitRequest request) {
    if (!WireWriter.fits(request.groupId())) {
      return ErrorCode.INVALID_GROUP_ID;
    }
    if (group == null) {
      if (request.generation() < 0 && groups.full()) {
        return ErrorCode.GROUP_MAX_SIZE_REACHED;
      }
      return request.generation() < 0 ? ErrorCode.NONE : ErrorCode.ILLEGAL_GENERATION;
    }
    boolean anonymous =
        request.generation() < 0 && request.memberId().isEmpty() && request.instanceId() == null;
    if (anonymous || (request.generation() < 0 && group.is(GroupState.EMPTY))) {
      return ErrorCode.NONE;
    }
    ErrorCode error = group.validate(request.memberId(), request.instanceId());
    if (error != ErrorCode.NONE) {
      return error;
    }
    return request.generation() == group.generation()
        ? ErrorCode.NONE
        : ErrorCode.ILLEGAL_GENERATION;
  }

  /// Ends a producer's transaction; `to` completes when the marker cannot be lost any more.
  void endTransaction(TxnMarker marker, CompletableFuture<ErrorCode> to, Effects out) {
    PendingOffsets pending = groups.pending();
    long order = pending.nextOrder();
    out.writeMarker(
        marker,
        (appended, settledAt, then) -> {
          if (inLog(appended)) {
            pending.ended(marker.producer().id(), marker.commit(), order, settledAt.wallMs());
          }
          then.answer(to, appended);
        });
  }

  /// A write whose acknowledgement was late is in this broker's log all the same; the state has to
  /// be what a replay would give.
  private static boolean inLog(ErrorCode appended) {
    return appended == ErrorCode.NONE
        || appended == ErrorCode.REQUEST_TIMED_OUT
        || appended == ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
  }

  private static ErrorCode commitError(ErrorCode append) {
    return switch (append) {
      case MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE -> ErrorCode.INVALID_COMMIT_OFFSET_SIZE;
      default -> AppendErrors.told(append);
    };
  }

  /// Members commit in their generation; who is no member may only commit for a group that has no
  /// members (T43), and makes the group by that.
  private ErrorCode checkCommit(@Nullable Group group, CommitRequest request) {
    boolean simple = request.generation() < 0;
    if (!WireWriter.fits(request.groupId())) {
      return ErrorCode.INVALID_GROUP_ID;
    }
    if (group == null) {
      if (simple && groups.full()) {
        return ErrorCode.GROUP_MAX_SIZE_REACHED;
      }
      return simple ? ErrorCode.NONE : ErrorCode.GROUP_ID_NOT_FOUND;
    }
    GroupState state = group.state();
    if (simple && state == GroupState.EMPTY) {
      return ErrorCode.NONE;
    }
    if (simple && request.memberId().isEmpty() && request.instanceId() == null) {
      return ErrorCode.UNKNOWN_MEMBER_ID;
    }
    ErrorCode error = group.validate(request.memberId(), request.instanceId());
    if (error != ErrorCode.NONE) {
      return error;
    }
    if (request.generation() != group.generation()) {
      return ErrorCode.ILLEGAL_GENERATION;
    }
    return state == GroupState.COMPLETING_REBALANCE
        ? ErrorCode.REBALANCE_IN_PROGRESS
        : ErrorCode.NONE;
  }

  private ErrorCode checkOffset(OffsetToCommit offset) {
    if (offset.metadata().length() > config.offsetMetadataMaxBytes()
        || !WireWriter.fits(offset.metadata())) {
      return ErrorCode.OFFSET_METADATA_TOO_LARGE;
    }
    return WireWriter.fits(offset.topic()) ? ErrorCode.NONE : ErrorCode.INVALID_TOPIC_EXCEPTION;
  }

  /// Any thread.
  ///
  /// @param requireStable whether a partition about which a transaction is undecided is an error
  FetchedOffsets fetch(String groupId, @Nullable List<OffsetKey> keys, boolean requireStable) {
    Group group = groups.get(groupId);
    Map<OffsetKey, CommittedOffset> offsets = group == null ? Map.of() : group.offsets();
    List<FetchedOffset> fetched = new ArrayList<>(keys == null ? offsets.size() : keys.size());
    Collection<OffsetKey> wanted = keys == null ? offsets.keySet() : keys;
    for (OffsetKey key : wanted) {
      // Unstable is asked first: a commit that comes between is seen then.
      if (requireStable && group != null && group.pendingOffsets().containsKey(key)) {
        fetched.add(
            new FetchedOffset(
                key.topic(), key.partition(), ErrorCode.UNSTABLE_OFFSET_COMMIT, -1, -1, ""));
        continue;
      }
      CommittedOffset offset = offsets.get(key);
      if (offset != null || keys != null) {
        fetched.add(fetched(key, offset));
      }
    }
    return new FetchedOffsets(ErrorCode.NONE, fetched);
  }

  private static FetchedOffset fetched(OffsetKey key, @Nullable CommittedOffset offset) {
    return offset == null
        ? new FetchedOffset(key.topic(), key.partition(), ErrorCode.NONE, -1, -1, "")
        : new FetchedOffset(
            key.topic(),
            key.partition(),
            ErrorCode.NONE,
            offset.offset(),
            offset.leaderEpoch(),
            offset.metadata());
  }

  /// KIP-496.
  void delete(
      String groupId, List<OffsetKey> keys, CompletableFuture<DeletedOffsets> to, Effects out) {
    Group group = groups.get(groupId);
    ErrorCode error = ErrorCode.NONE;
    if (groupId.isEmpty()) {
      error = ErrorCode.INVALID_GROUP_ID;
    } else if (group == null) {
      error = ErrorCode.GROUP_ID_NOT_FOUND;
    } else if (!group.is(GroupState.EMPTY) && !group.consumerProtocol()) {
      error = ErrorCode.NON_EMPTY_GROUP;
    }
    if (error != ErrorCode.NONE || group == null) {
      out.answer(to, new DeletedOffsets(error, List.of()));
      return;
    }
    List<ErrorCode> results = new ArrayList<>(keys.size());
    List<GroupRecord> tombstones = new ArrayList<>();
    for (OffsetKey key : keys) {
      if (group.subscribedTo(key.topic())) {
        results.add(ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC);
      } else {
        results.add(ErrorCode.NONE);
        if (group.offsets().containsKey(key) || group.pendingOffsets().containsKey(key)) {
          tombstones.add(tombstone(groupId, key));
        }
      }
    }
    write(
        tombstones,
        out,
        (appended, then) ->
            then.answer(
                to,
                new DeletedOffsets(
                    AppendErrors.told(appended),
                    appended == ErrorCode.NONE ? results : List.of())));
  }

  /// Groups must not find the offsets of a topic that is gone when one of that name is made again.
  void topicsDeleted(Set<String> topics, Effects out) {
    List<GroupRecord> tombstones = new ArrayList<>();
    for (Group group : groups.all()) {
      for (OffsetKey key : allKeys(group)) {
        if (topics.contains(key.topic())) {
          tombstones.add(tombstone(group.groupId(), key));
        }
      }
    }
    write(tombstones, out, (appended, then) -> {});
  }

  /// Removes what nobody has used for the retention time (KIP-211), and groups of which nothing is
  /// left.
  void expire(Now now, Effects out) {
    List<GroupRecord> tombstones = new ArrayList<>();
    for (Group group : groups.all()) {
      // What a transaction has yet to decide about is neither unused nor to be forgotten.
      boolean all = group.pendingOffsets().isEmpty();
      for (Map.Entry<OffsetKey, CommittedOffset> entry : group.offsets().entrySet()) {
        if (!group.pendingOffsets().containsKey(entry.getKey())
            && expired(group, entry.getKey(), entry.getValue(), now.wallMs())) {
          tombstones.add(tombstone(group.groupId(), entry.getKey()));
        } else {
          all = false;
        }
      }
      if (all && group.inLog && group.is(GroupState.EMPTY) && group.pendingMembers().isEmpty()) {
        tombstones.add(new GroupRecord.GroupMetadata(group.groupId(), null));
      }
    }
    write(tombstones, out, (appended, then) -> dropVoid(now));
  }

  private void dropVoid(Now now) {
    List.copyOf(groups.all()).forEach(group -> groups.dropIfVoid(group, now.wallMs()));
  }

  private boolean expired(Group group, OffsetKey key, CommittedOffset offset, long wallMs) {
    long unusedSinceMs = offset.commitTimestampMs();
    if (group.protocolType() != null) {
      if (group.is(GroupState.EMPTY)) {
        if (group.stateTimestampMs() >= 0) {
          unusedSinceMs = group.stateTimestampMs();
        }
      } else if (!group.is(GroupState.STABLE) || !group.subscriptionsKnown()) {
        return false;
      }
    }
    if (group.subscribedTo(key.topic())) {
      return false;
    }
    return offset.expireTimestampMs() >= 0
        ? wallMs >= offset.expireTimestampMs()
        : wallMs - unusedSinceMs >= config.offsetsRetentionMinutes() * 60_000L;
  }

  /// A group that a client wants gone.
  ///
  /// @return NONE if its tombstones were added
  ErrorCode deleteGroup(@Nullable Group group, List<GroupRecord> tombstones) {
    if (group == null) {
      return ErrorCode.GROUP_ID_NOT_FOUND;
    }
    if (!group.is(GroupState.EMPTY)) {
      return ErrorCode.NON_EMPTY_GROUP;
    }
    for (OffsetKey key : allKeys(group)) {
      tombstones.add(tombstone(group.groupId(), key));
    }
    tombstones.add(new GroupRecord.GroupMetadata(group.groupId(), null));
    return ErrorCode.NONE;
  }

  /// Those that are true and those that a transaction may make true.
  private static Set<OffsetKey> allKeys(Group group) {
    Set<OffsetKey> keys = new LinkedHashSet<>(group.offsets().keySet());
    keys.addAll(group.pendingOffsets().keySet());
    return keys;
  }

  /// What follows a removal.
  interface Removed {
    void removed(ErrorCode appended, Effects then);
  }

  /// Writes tombstones, if there are any, and applies them when they are in the log.
  void write(List<GroupRecord> tombstones, Effects out, Removed after) {
    if (tombstones.isEmpty()) {
      after.removed(ErrorCode.NONE, out);
      return;
    }
    long order = groups.pending().nextOrder();
    out.write(
        tombstones,
        (appended, now, then) -> {
          if (inLog(appended)) {
            tombstones.forEach(record -> groups.apply(record, order, now.wallMs()));
          }
          after.removed(appended, then);
        });
  }

  private static GroupRecord tombstone(String groupId, OffsetKey key) {
    return new OffsetCommit(groupId, key.topic(), key.partition(), null);
  }
}
