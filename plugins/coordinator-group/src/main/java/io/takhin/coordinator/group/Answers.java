package io.takhin.coordinator.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import java.util.List;

/// What members are told, from the state of their group.
final class Answers {
  private Answers() {}

  /// A join that failed.
  static JoinResult joinError(ErrorCode error, String memberId) {
    return new JoinResult(error, -1, null, null, "", false, memberId, List.of());
  }

  /// A join that succeeded: the leader hears of all members.
  static JoinResult joined(Group group, Member member) {
    List<JoinedMember> all = group.isLeader(member.memberId) ? group.joinedMembers() : List.of();
    String leader = group.leader();
    return new JoinResult(
        ErrorCode.NONE,
        group.generation(),
        group.protocolType(),
        group.protocol(),
        leader == null ? "" : leader,
        false,
        member.memberId,
        all);
  }

  /// The same with somebody else for the leader, who hears of no members.
  static JoinResult withLeader(JoinResult result, String leader) {
    return new JoinResult(
        result.error(),
        result.generation(),
        result.protocolType(),
        result.protocolName(),
        leader,
        false,
        result.memberId(),
        List.of());
  }

  /// The same for a leader that must not assign anew (KIP-814).
  static JoinResult withSkipAssignment(JoinResult result) {
    return new JoinResult(
        result.error(),
        result.generation(),
        result.protocolType(),
        result.protocolName(),
        result.leader(),
        true,
        result.memberId(),
        result.members());
  }

  /// A sync that failed.
  static SyncResult syncError(ErrorCode error) {
    return new SyncResult(error, null, null, Member.NO_ASSIGNMENT);
  }

  /// What the member was assigned.
  static SyncResult synced(Group group, byte[] assignment) {
    return new SyncResult(ErrorCode.NONE, group.protocolType(), group.protocol(), assignment);
  }
}
