package io.takhin.api.group;

import io.takhin.api.Api;
import io.takhin.api.ErrorCode;
import io.takhin.api.Service;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The coordinator of the groups whose `__consumer_offsets` partition this broker leads.
///
/// Threading: any thread; futures complete on any thread, often before the call returns.
/// Blocking: no. Buffers: byte arrays are kept and must not be changed by either side.
/// Errors: what a client can cause is an error code in the result; futures do not fail. Common to
/// all: COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS, INVALID_GROUP_ID.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface GroupCoordinator extends Service {
  /// The partition of `__consumer_offsets` that a group belongs to; makes the topic if there is
  /// none yet. The partition's leader is the group's coordinator.
  CompletableFuture<PartitionResult> partitionFor(String groupId);

  /// Index of a partition of `__consumer_offsets`, or an error.
  record PartitionResult(ErrorCode error, int partition) {}

  /// The barrier of a rebalance: completes when all members are in or the rebalance timed out.
  CompletableFuture<JoinResult> join(JoinRequest request);

  /// JoinGroup.
  ///
  /// @param instanceId of a static member (KIP-345), else null
  /// @param memberId empty for a new member
  /// @param requireKnownMemberId whether a new dynamic member first gets its id with
  ///     MEMBER_ID_REQUIRED (KIP-394; version 4 and later)
  /// @param supportsSkippingAssignment version 9 and later (KIP-814)
  record JoinRequest(
      String groupId,
      String memberId,
      @Nullable String instanceId,
      String clientId,
      String clientHost,
      String protocolType,
      List<Protocol> protocols,
      int sessionTimeoutMs,
      int rebalanceTimeoutMs,
      boolean requireKnownMemberId,
      boolean supportsSkippingAssignment,
      @Nullable String reason) {}

  /// A way of assigning that a member offers, with its opaque data (T66).
  record Protocol(String name, byte[] metadata) {}

  /// Answer to a join.
  ///
  /// @param members all of them for the leader, empty for others
  record JoinResult(
      ErrorCode error,
      int generation,
      @Nullable String protocolType,
      @Nullable String protocolName,
      String leader,
      boolean skipAssignment,
      String memberId,
      List<JoinedMember> members) {}

  /// A member as the leader sees it.
  record JoinedMember(String memberId, @Nullable String instanceId, byte[] metadata) {}

  /// Completes when the leader has brought the assignments.
  CompletableFuture<SyncResult> sync(SyncRequest request);

  /// SyncGroup. `protocolType` and `protocolName` are null before version 5.
  record SyncRequest(
      String groupId,
      int generation,
      String memberId,
      @Nullable String instanceId,
      @Nullable String protocolType,
      @Nullable String protocolName,
      List<Assignment> assignments) {}

  /// What one member is to do, opaque.
  record Assignment(String memberId, byte[] assignment) {}

  /// Answer to a sync.
  record SyncResult(
      ErrorCode error,
      @Nullable String protocolType,
      @Nullable String protocolName,
      byte[] assignment) {}

  /// Keeps a session alive. Inline: the hottest call of idle consumers.
  ErrorCode heartbeat(String groupId, int generation, String memberId, @Nullable String instanceId);

  /// Members leave.
  CompletableFuture<LeaveResult> leave(String groupId, List<LeavingMember> members);

  /// Who leaves; memberId is empty if an administrator names the instance.
  record LeavingMember(String memberId, @Nullable String instanceId, @Nullable String reason) {}

  /// Answer for all and for each, in order.
  record LeaveResult(ErrorCode error, List<ErrorCode> members) {}

  /// Commits offsets; a result for each, in order. That the topics exist is the caller's to check.
  ///
  /// Errors: UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION, GROUP_ID_NOT_FOUND (a
  /// generation of a group that is not there), REBALANCE_IN_PROGRESS; per offset
  /// OFFSET_METADATA_TOO_LARGE, INVALID_COMMIT_OFFSET_SIZE.
  CompletableFuture<List<ErrorCode>> commitOffsets(CommitRequest request);

  /// TxnOffsetCommit: offsets that become visible when the transaction commits (KIP-98, KIP-447); a
  /// result for each, in order. The caller has seen to it that the transaction includes the group.
  ///
  /// Errors: as of [#commitOffsets], but a rebalance refuses nothing, and a generation of a group
  /// that is not there is ILLEGAL_GENERATION; besides INVALID_PRODUCER_EPOCH.
  CompletableFuture<List<ErrorCode>> commitTransactionalOffsets(TxnCommitRequest request);

  /// TxnOffsetCommit.
  ///
  /// @param generation -1 from producers without group metadata
  record TxnCommitRequest(
      String transactionalId,
      String groupId,
      long producerId,
      short producerEpoch,
      int generation,
      String memberId,
      @Nullable String instanceId,
      List<OffsetToCommit> offsets) {}

  /// The transaction of this producer ended with a marker in a partition of `__consumer_offsets`:
  /// its pending offsets become visible or go. Writes the marker there. Writing one twice is
  /// harmless.
  ///
  /// Errors: as of [io.takhin.api.partition.Partition#endTransaction], REQUEST_TIMED_OUT if it is
  /// not known to be safe, UNKNOWN_TOPIC_OR_PARTITION for a partition that does not exist,
  /// NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS.
  ///
  /// @param partition of `__consumer_offsets`
  CompletableFuture<ErrorCode> endTransaction(
      int partition,
      long producerId,
      short producerEpoch,
      int coordinatorEpoch,
      boolean commit,
      int transactionVersion);

  /// OffsetCommit.
  ///
  /// @param generation -1 from consumers without a membership
  /// @param expireTimeMs when it expires whatever the group does (versions 2 to 4), or -1
  record CommitRequest(
      String groupId,
      int generation,
      String memberId,
      @Nullable String instanceId,
      long expireTimeMs,
      List<OffsetToCommit> offsets) {}

  /// One offset.
  ///
  /// @param topicId of the incarnation, if known
  /// @param leaderEpoch -1 if unknown
  record OffsetToCommit(
      @Nullable UUID topicId,
      String topic,
      int partition,
      long offset,
      int leaderEpoch,
      String metadata) {}

  /// Committed offsets; offset -1 where nothing was committed. A null list means all there are.
  CompletableFuture<FetchedOffsets> fetchOffsets(
      String groupId, @Nullable List<OffsetKey> keys, boolean requireStable);

  /// A partition by name.
  record OffsetKey(String topic, int partition) {}

  /// Answer for the group and, for the keys in order, each partition.
  record FetchedOffsets(ErrorCode error, List<FetchedOffset> offsets) {}

  /// A committed offset.
  record FetchedOffset(
      String topic,
      int partition,
      ErrorCode error,
      long offset,
      int leaderEpoch,
      String metadata) {}

  /// Removes committed offsets; results for the keys, in order (KIP-496).
  CompletableFuture<DeletedOffsets> deleteOffsets(String groupId, List<OffsetKey> keys);

  /// Answer for the group and each key.
  record DeletedOffsets(ErrorCode error, List<ErrorCode> results) {}

  /// Descriptions, in the order asked; a group that is not there is `Dead` with GROUP_ID_NOT_FOUND.
  CompletableFuture<List<GroupDescription>> describe(List<String> groupIds);

  /// A group.
  ///
  /// @param state `PreparingRebalance`, `CompletingRebalance`, `Stable`, `Empty`, `Dead`
  record GroupDescription(
      ErrorCode error,
      String groupId,
      String state,
      String protocolType,
      String protocol,
      List<MemberDescription> members,
      @Nullable String message) {}

  /// A member.
  record MemberDescription(
      String memberId,
      @Nullable String instanceId,
      String clientId,
      String clientHost,
      byte[] metadata,
      byte[] assignment) {}

  /// Groups here, filtered by state and type (`classic`) regardless of case; empty sets match all.
  ListedGroups list(Set<String> states, Set<String> types);

  /// Answer to a list.
  record ListedGroups(ErrorCode error, List<ListedGroup> groups) {}

  /// A group in a list.
  record ListedGroup(String groupId, String protocolType, String state, String type) {}

  /// Deletes groups without members; a result for each, in order.
  CompletableFuture<List<ErrorCode>> deleteGroups(List<String> groupIds);
}
