package io.takhin.protocol.kafka;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// A coordinator that says what the test tells it to, and keeps what it was asked. Out of the box
/// every group is well and empty.
final class ScriptedGroups implements GroupCoordinator {
  Function<String, CompletableFuture<PartitionResult>> partition =
      group -> CompletableFuture.completedFuture(new PartitionResult(ErrorCode.NONE, 0));
  JoinResult joined =
      new JoinResult(ErrorCode.NONE, 1, "consumer", "range", "m", false, "m", List.of());
  SyncResult synced = new SyncResult(ErrorCode.NONE, "consumer", "range", new byte[] {1});
  ErrorCode beat = ErrorCode.NONE;
  ErrorCode left = ErrorCode.NONE;
  ErrorCode memberLeft = ErrorCode.NONE;
  ErrorCode committed = ErrorCode.NONE;
  ErrorCode marked = ErrorCode.NONE;
  Function<CommitRequest, CompletableFuture<List<ErrorCode>>> commitOutcome =
      request ->
          CompletableFuture.completedFuture(
              request.offsets().stream().map(offset -> committed).toList());
  ErrorCode fetched = ErrorCode.NONE;
  ErrorCode deletedOffsets = ErrorCode.NONE;
  List<FetchedOffset> allOffsets = List.of();
  @Nullable GroupDescription described;
  ErrorCode deleted = ErrorCode.NONE;
  List<ListedGroup> listed = List.of();

  /// Whether heartbeats and commits are not kept in `asked`.
  volatile boolean quiet;

  final List<Object> asked = Collections.synchronizedList(new ArrayList<>());

  /// A heartbeat that was asked for.
  record Beat(String group, int generation, String member, @Nullable String instance) {}

  @SuppressWarnings("unchecked")
  <T> T lastAsked() {
    return (T) asked.getLast();
  }

  @Override
  public CompletableFuture<PartitionResult> partitionFor(String groupId) {
    asked.add(groupId);
    return partition.apply(groupId);
  }

  @Override
  public CompletableFuture<JoinResult> join(JoinRequest request) {
    asked.add(request);
    return CompletableFuture.completedFuture(joined);
  }

  @Override
  public CompletableFuture<SyncResult> sync(SyncRequest request) {
    asked.add(request);
    return CompletableFuture.completedFuture(synced);
  }

  @Override
  public ErrorCode heartbeat(
      String groupId, int generation, String memberId, @Nullable String instanceId) {
    if (!quiet) {
      asked.add(new Beat(groupId, generation, memberId, instanceId));
    }
    return beat;
  }

  @Override
  public CompletableFuture<LeaveResult> leave(String groupId, List<LeavingMember> members) {
    asked.add(members);
    return CompletableFuture.completedFuture(
        new LeaveResult(left, members.stream().map(member -> memberLeft).toList()));
  }

  @Override
  public CompletableFuture<List<ErrorCode>> commitOffsets(CommitRequest request) {
    if (!quiet) {
      asked.add(request);
    }
    return commitOutcome.apply(request);
  }

  @Override
  public CompletableFuture<List<ErrorCode>> commitTransactionalOffsets(TxnCommitRequest request) {
    asked.add(request);
    return CompletableFuture.completedFuture(
        request.offsets().stream().map(offset -> committed).toList());
  }

  /// A marker for a group's partition.
  record Marker(int partition, long producerId, short producerEpoch, boolean commit, int version) {}

  @Override
  public CompletableFuture<ErrorCode> endTransaction(
      int markedPartition,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion) {
    asked.add(new Marker(markedPartition, producerId, producerEpoch, commit, transactionVersion));
    return CompletableFuture.completedFuture(marked);
  }

  /// The offset of a key is its partition and 100.
  @Override
  public CompletableFuture<FetchedOffsets> fetchOffsets(
      String groupId, @Nullable List<OffsetKey> keys, boolean requireStable) {
    asked.add(groupId);
    if (fetched != ErrorCode.NONE) {
      return CompletableFuture.completedFuture(new FetchedOffsets(fetched, List.of()));
    }
    List<FetchedOffset> offsets =
        keys == null
            ? allOffsets
            : keys.stream()
                .map(
                    key ->
                        new FetchedOffset(
                            key.topic(),
                            key.partition(),
                            ErrorCode.NONE,
                            100 + key.partition(),
                            3,
                            "meta"))
                .toList();
    return CompletableFuture.completedFuture(new FetchedOffsets(fetched, offsets));
  }

  @Override
  public CompletableFuture<DeletedOffsets> deleteOffsets(String groupId, List<OffsetKey> keys) {
    asked.add(keys);
    return CompletableFuture.completedFuture(
        new DeletedOffsets(deletedOffsets, keys.stream().map(key -> ErrorCode.NONE).toList()));
  }

  @Override
  public CompletableFuture<List<GroupDescription>> describe(List<String> groupIds) {
    asked.add(groupIds);
    return CompletableFuture.completedFuture(
        groupIds.stream()
            .map(
                id ->
                    described != null
                        ? described
                        : new GroupDescription(
                            ErrorCode.GROUP_ID_NOT_FOUND,
                            id,
                            "Dead",
                            "",
                            "",
                            List.of(),
                            "Group " + id + " not found."))
            .toList());
  }

  @Override
  public ListedGroups list(Set<String> states, Set<String> types) {
    asked.add(List.of(states, types));
    return new ListedGroups(ErrorCode.NONE, listed);
  }

  @Override
  public CompletableFuture<List<ErrorCode>> deleteGroups(List<String> groupIds) {
    asked.add(groupIds);
    return CompletableFuture.completedFuture(groupIds.stream().map(id -> deleted).toList());
  }

  @Override
  public void close() {}
}
