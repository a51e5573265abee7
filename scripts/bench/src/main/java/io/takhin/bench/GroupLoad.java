package io.takhin.bench;

import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;
import org.apache.kafka.common.message.FindCoordinatorRequestData;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.HeartbeatResponseData;
import org.apache.kafka.common.message.JoinGroupRequestData;
import org.apache.kafka.common.message.JoinGroupRequestData.JoinGroupRequestProtocol;
import org.apache.kafka.common.message.JoinGroupResponseData;
import org.apache.kafka.common.message.JoinGroupResponseData.JoinGroupResponseMember;
import org.apache.kafka.common.message.LeaveGroupRequestData;
import org.apache.kafka.common.message.LeaveGroupRequestData.MemberIdentity;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetCommitResponseData;
import org.apache.kafka.common.message.SyncGroupRequestData;
import org.apache.kafka.common.message.SyncGroupRequestData.SyncGroupRequestAssignment;
import org.apache.kafka.common.message.SyncGroupResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;

/// A classic consumer group, all members on one thread, a connection each. Members follow the
/// protocol as clients do, but do not wait between heartbeats while the group is not stable: what
/// is timed is the broker, not the heartbeat interval.
///
/// ```
///  JOINING --id, then members--> SYNCING --assignment--> STABLE
///     ^                             |                       | heartbeat: rebalance in progress
///     +------- rebalance -----------+-----------------------+
/// ```
final class GroupLoad implements AutoCloseable {
  /// Of the topic whose offsets are committed.
  static final int PARTITIONS = 16;

  private static final short FIND_VERSION = 3;
  private static final short JOIN_VERSION = 5;
  private static final short SYNC_VERSION = 3;
  private static final short HEARTBEAT_VERSION = 3;
  private static final short COMMIT_VERSION = 7;
  private static final short LEAVE_VERSION = 3;
  private static final long HEARTBEAT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

  private enum State {
    JOINING,
    SYNCING,
    STABLE,
    LEFT
  }

  private static final class Member {
    private final Connection connection;
    private State state = State.JOINING;
    private String id = "";
    private int generation = -1;
    private ApiKeys asked = ApiKeys.JOIN_GROUP;
    private boolean waits;
    private long commitDue;
    private long heardAt;

    Member(Connection connection) {
      this.connection = connection;
    }
  }

  private final String group = "bench-" + Long.toHexString(System.nanoTime());
  private final InetSocketAddress broker;
  private final Connections pool;
  private final List<Member> members = new ArrayList<>();
  private final Histogram commitNanos = ProduceLoad.histogram();
  private long commits;

  GroupLoad(InetSocketAddress broker, int count) throws IOException {
    this.broker = broker;
    awaitCoordinator();
    pool = new Connections(broker, count);
    for (Connection connection : pool.all()) {
      members.add(new Member(connection));
    }
  }

  /// Lets all members join at once; returns the seconds until all have their assignments in one
  /// generation.
  double form() throws IOException {
    long start = System.nanoTime();
    for (Member member : members) {
      join(member);
    }
    awaitStable(-1);
    return (System.nanoTime() - start) / 1e9;
  }

  /// Lets one member leave; returns the seconds until the others are stable again. They send a
  /// heartbeat as soon as it has gone.
  double leave() throws IOException {
    Member leaver = members.getLast();
    int generation = leaver.generation;
    long start = System.nanoTime();
    leave(List.of(leaver));
    leaver.state = State.LEFT;
    awaitStable(generation);
    return (System.nanoTime() - start) / 1e9;
  }

  /// Commits an offset of one partition at a fixed rate, members in turn; the latency counts from
  /// when a commit was due.
  Histogram commits(String topic, int perSecond, long count) throws IOException {
    List<Member> live = members.stream().filter(member -> member.state == State.STABLE).toList();
    long interval = TimeUnit.SECONDS.toNanos(1) / perSecond;
    long start = System.nanoTime();
    commits = 0;
    commitNanos.reset();
    for (long sent = 0; commits < count; ) {
      long due = start + sent * interval;
      Member member = live.get((int) (sent % live.size()));
      if (sent < count && due <= System.nanoTime() && !member.waits) {
        member.commitDue = due;
        ask(member, ApiKeys.OFFSET_COMMIT, COMMIT_VERSION, commit(member, topic, sent));
        sent++;
      }
      pool.poll(0, this::answer);
      if (!Placement.isApart()
          && sent < count
          && start + sent * interval - System.nanoTime() > 20_000) {
        LockSupport.parkNanos(10_000);
      }
    }
    return commitNanos;
  }

  @Override
  public void close() throws IOException {
    List<Member> live = members.stream().filter(member -> member.state != State.LEFT).toList();
    pool.close();
    leave(live);
  }

  private void awaitCoordinator() throws IOException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    try (Client client = new Client(broker)) {
      while (true) {
        FindCoordinatorResponseData answer =
            new FindCoordinatorResponseData(
                client.call(
                    ApiKeys.FIND_COORDINATOR,
                    FIND_VERSION,
                    new FindCoordinatorRequestData().setKey(group).setKeyType((byte) 0)),
                FIND_VERSION);
        if (answer.errorCode() == 0) {
          return;
        }
        if (System.nanoTime() > deadline) {
          throw new IOException("no coordinator: " + Errors.forCode(answer.errorCode()));
        }
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
      }
    }
  }

  /// Polls until all members that have not left are stable in one generation after `generation`.
  private void awaitStable(int generation) throws IOException {
    while (!isStable(generation)) {
      long now = System.nanoTime();
      for (Member member : members) {
        boolean outdated = member.generation <= generation || !sameAsFirst(member);
        if (member.state == State.STABLE
            && !member.waits
            && (outdated || now - member.heardAt > HEARTBEAT_NANOS)) {
          heartbeat(member);
        }
      }
      pool.poll(1, this::answer);
    }
  }

  private boolean sameAsFirst(Member member) {
    return member.generation == members.getFirst().generation;
  }

  private boolean isStable(int generation) {
    for (Member member : members) {
      if (member.state != State.LEFT
          && (member.state != State.STABLE
              || member.generation <= generation
              || !sameAsFirst(member))) {
        return false;
      }
    }
    return true;
  }

  private void answer(Connection connection, ByteBuffer body) throws IOException {
    Member member = members.get(connection.index);
    member.waits = false;
    member.heardAt = System.nanoTime();
    ByteBuffer after = body.slice(4, body.remaining() - 4);
    ByteBufferAccessor in = new ByteBufferAccessor(after);
    switch (member.asked) {
      case JOIN_GROUP -> joined(member, new JoinGroupResponseData(in, JOIN_VERSION));
      case SYNC_GROUP -> {
        Errors error = Errors.forCode(new SyncGroupResponseData(in, SYNC_VERSION).errorCode());
        if (error == Errors.NONE) {
          member.state = State.STABLE;
        } else {
          again(member, error);
        }
      }
      case HEARTBEAT -> {
        Errors error = Errors.forCode(new HeartbeatResponseData(in, HEARTBEAT_VERSION).errorCode());
        if (error != Errors.NONE) {
          again(member, error);
        }
      }
      case OFFSET_COMMIT -> {
        commitNanos.recordValue(Math.max(0, member.heardAt - member.commitDue));
        commits++;
        short error =
            new OffsetCommitResponseData(in, COMMIT_VERSION)
                .topics()
                .getFirst()
                .partitions()
                .getFirst()
                .errorCode();
        if (error != 0) {
          throw new IOException("a commit failed: " + Errors.forCode(error));
        }
      }
      default -> throw new IllegalStateException("nothing was asked");
    }
  }

  private void joined(Member member, JoinGroupResponseData answer) throws IOException {
    Errors error = Errors.forCode(answer.errorCode());
    if (error == Errors.MEMBER_ID_REQUIRED) {
      member.id = answer.memberId();
      join(member);
      return;
    }
    if (error != Errors.NONE) {
      again(member, error);
      return;
    }
    member.id = answer.memberId();
    member.generation = answer.generationId();
    member.state = State.SYNCING;
    SyncGroupRequestData request =
        new SyncGroupRequestData()
            .setGroupId(group)
            .setMemberId(member.id)
            .setGenerationId(member.generation);
    for (JoinGroupResponseMember one : answer.members()) {
      request
          .assignments()
          .add(
              new SyncGroupRequestAssignment()
                  .setMemberId(one.memberId())
                  .setAssignment(new byte[40]));
    }
    ask(member, ApiKeys.SYNC_GROUP, SYNC_VERSION, request);
  }

  private void again(Member member, Errors error) throws IOException {
    switch (error) {
      case REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION -> join(member);
      case UNKNOWN_MEMBER_ID -> {
        member.id = "";
        join(member);
      }
      case COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR, COORDINATOR_NOT_AVAILABLE -> join(member);
      default -> throw new IOException("a member was refused: " + error);
    }
  }

  private void join(Member member) throws IOException {
    member.state = State.JOINING;
    JoinGroupRequestData request =
        new JoinGroupRequestData()
            .setGroupId(group)
            .setMemberId(member.id)
            .setProtocolType("consumer")
            .setSessionTimeoutMs(45_000)
            .setRebalanceTimeoutMs(60_000);
    request
        .protocols()
        .add(new JoinGroupRequestProtocol().setName("range").setMetadata(new byte[60]));
    ask(member, ApiKeys.JOIN_GROUP, JOIN_VERSION, request);
  }

  private void heartbeat(Member member) throws IOException {
    ask(
        member,
        ApiKeys.HEARTBEAT,
        HEARTBEAT_VERSION,
        new HeartbeatRequestData()
            .setGroupId(group)
            .setMemberId(member.id)
            .setGenerationId(member.generation));
  }

  private OffsetCommitRequestData commit(Member member, String topic, long offset) {
    OffsetCommitRequestTopic one = new OffsetCommitRequestTopic().setName(topic);
    one.partitions()
        .add(
            new OffsetCommitRequestPartition()
                .setPartitionIndex(member.connection.index % PARTITIONS)
                .setCommittedOffset(offset));
    OffsetCommitRequestData request =
        new OffsetCommitRequestData()
            .setGroupId(group)
            .setMemberId(member.id)
            .setGenerationIdOrMemberEpoch(member.generation);
    request.topics().add(one);
    return request;
  }

  private void leave(List<Member> leavers) throws IOException {
    LeaveGroupRequestData request = new LeaveGroupRequestData().setGroupId(group);
    for (Member member : leavers) {
      request.members().add(new MemberIdentity().setMemberId(member.id));
    }
    try (Client client = new Client(broker)) {
      client.call(ApiKeys.LEAVE_GROUP, LEAVE_VERSION, request);
    }
  }

  private static void ask(Member member, ApiKeys api, short version, ApiMessage body)
      throws IOException {
    member.asked = api;
    member.waits = true;
    member.connection.send(Client.encode(api, version, 1, body));
  }
}
