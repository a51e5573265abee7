package io.takhin.coordinator.group;

import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A member of a group. Only the session's two numbers are touched outside the gate: a heartbeat
/// moves the deadline and nothing else.
final class Member {
  static final byte[] NO_ASSIGNMENT = {};

  final String memberId;
  final @Nullable String instanceId;
  final String clientId;
  final String clientHost;

  List<Protocol> protocols;
  int rebalanceTimeoutMs;
  byte[] assignment = NO_ASSIGNMENT;

  /// Whether it has not seen a generation yet: then its session can end while it waits.
  boolean fresh;

  @Nullable CompletableFuture<JoinResult> awaitingJoin;
  @Nullable CompletableFuture<SyncResult> awaitingSync;

  private volatile int sessionTimeoutMs;
  private volatile long sessionDeadlineMs;

  Member(
      String memberId,
      @Nullable String instanceId,
      String clientId,
      String clientHost,
      int rebalanceTimeoutMs,
      int sessionTimeoutMs,
      List<Protocol> protocols) {
    this.memberId = memberId;
    this.instanceId = instanceId;
    this.clientId = clientId;
    this.clientHost = clientHost;
    this.rebalanceTimeoutMs = rebalanceTimeoutMs;
    this.sessionTimeoutMs = sessionTimeoutMs;
    this.protocols = protocols;
  }

  boolean isStatic() {
    return instanceId != null;
  }

  int sessionTimeoutMs() {
    return sessionTimeoutMs;
  }

  void sessionTimeoutMs(int timeoutMs) {
    sessionTimeoutMs = timeoutMs;
  }

  /// Monotonic time at which the session ends, if nothing waits on this side.
  long sessionDeadlineMs() {
    return sessionDeadlineMs;
  }

  void sessionDeadlineMs(long deadlineMs) {
    sessionDeadlineMs = deadlineMs;
  }

  /// A sign of life. Any thread.
  void touch(long monotonicMs) {
    sessionDeadlineMs = monotonicMs + sessionTimeoutMs;
  }

  /// Whether the coordinator owes it an answer: silence is no sign of death then.
  boolean excusedFromHeartbeats() {
    return !fresh && (awaitingJoin != null || awaitingSync != null);
  }

  /// What it sent for a protocol; empty if it does not know it.
  byte[] metadata(@Nullable String protocol) {
    for (Protocol candidate : protocols) {
      if (candidate.name().equals(protocol)) {
        return candidate.metadata();
      }
    }
    return NO_ASSIGNMENT;
  }

  /// Whether names, order and metadata are the same.
  boolean offers(List<Protocol> others) {
    if (protocols.size() != others.size()) {
      return false;
    }
    for (int i = 0; i < protocols.size(); i++) {
      Protocol mine = protocols.get(i);
      Protocol other = others.get(i);
      if (!mine.name().equals(other.name()) || !Arrays.equals(mine.metadata(), other.metadata())) {
        return false;
      }
    }
    return true;
  }
}
