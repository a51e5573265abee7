package io.takhin.testkit.group;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One group of [InMemoryGroupCoordinator], which guards it.
final class InMemoryGroup {
  static final long NEVER = Long.MAX_VALUE;

  /// A member.
  static final class Member {
    final String id;
    JoinRequest request;
    byte[] assignment = {};
    long sessionEndMs;
    boolean synced;
    @Nullable CompletableFuture<JoinResult> joining;
    @Nullable CompletableFuture<SyncResult> syncing;

    Member(String id, JoinRequest request) {
      this.id = id;
      this.request = request;
    }

    byte[] metadata(String protocol) {
      return request.protocols().stream()
          .filter(each -> each.name().equals(protocol))
          .findFirst()
          .map(Protocol::metadata)
          .orElse(new byte[0]);
    }
  }

  final String id;
  final Map<String, Member> members = new LinkedHashMap<>();
  final Map<String, Long> pending = new HashMap<>();
  final Map<OffsetKey, FetchedOffset> offsets = new LinkedHashMap<>();

  /// Of open transactions, by producer.
  final Map<Long, Map<OffsetKey, FetchedOffset>> undecided = new HashMap<>();
  String state = "Empty";
  String protocolType = "";
  String protocol = "";
  String leader = "";
  int generation;
  boolean first;
  boolean grew;
  long joinEndMs = NEVER;
  long syncEndMs = NEVER;

  InMemoryGroup(String id) {
    this.id = id;
  }

  @Nullable Member byInstance(@Nullable String instanceId) {
    return members.values().stream()
        .filter(each -> instanceId != null && instanceId.equals(each.request.instanceId()))
        .findFirst()
        .orElse(null);
  }

  ErrorCode validate(String memberId, @Nullable String instanceId) {
    if (instanceId != null) {
      Member current = byInstance(instanceId);
      if (current != null && !current.id.equals(memberId)) {
        return ErrorCode.FENCED_INSTANCE_ID;
      }
    }
    return members.containsKey(memberId) ? ErrorCode.NONE : ErrorCode.UNKNOWN_MEMBER_ID;
  }

  boolean supports(JoinRequest request) {
    if (members.isEmpty()) {
      return !request.protocolType().isEmpty() && !request.protocols().isEmpty();
    }
    return protocolType.equals(request.protocolType())
        && request.protocols().stream().anyMatch(each -> common().contains(each.name()));
  }

  /// The protocols that all members know, in the order of the first member.
  List<String> common() {
    List<String> common = new ArrayList<>();
    for (Member member : members.values()) {
      List<String> names = member.request.protocols().stream().map(Protocol::name).toList();
      if (common.isEmpty()) {
        common.addAll(names);
      } else {
        common.retainAll(names);
      }
    }
    return common;
  }

  boolean stable(OffsetKey key) {
    return undecided.values().stream().noneMatch(each -> each.containsKey(key));
  }

  boolean allIn() {
    return pending.isEmpty() && members.values().stream().allMatch(each -> each.joining != null);
  }

  void remove(Member member) {
    members.remove(member.id);
    if (leader.equals(member.id)) {
      leader = members.isEmpty() ? "" : members.keySet().iterator().next();
    }
  }

  JoinResult joined(Member member, boolean skipAssignment) {
    List<JoinedMember> all = new ArrayList<>();
    if (leader.equals(member.id)) {
      members
          .values()
          .forEach(
              each ->
                  all.add(
                      new JoinedMember(
                          each.id, each.request.instanceId(), each.metadata(protocol))));
    }
    return new JoinResult(
        ErrorCode.NONE, generation, protocolType, protocol, leader, skipAssignment, member.id, all);
  }

  boolean subscribedTo(String topic) {
    Set<String> topics = new HashSet<>();
    for (Member member : members.values()) {
      ByteBuffer in = ByteBuffer.wrap(member.metadata(protocol));
      in.getShort();
      int count = in.getInt();
      for (int i = 0; i < count; i++) {
        byte[] name = new byte[in.getShort()];
        in.get(name);
        topics.add(new String(name, StandardCharsets.UTF_8));
      }
    }
    return topics.contains(topic);
  }
}
