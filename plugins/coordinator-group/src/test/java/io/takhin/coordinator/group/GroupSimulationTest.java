package io.takhin.coordinator.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.Assignment;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.JoinedMember;
import io.takhin.api.group.GroupCoordinator.LeaveResult;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import io.takhin.coordinator.Now;
import io.takhin.coordinator.ShardEffects.Write;
import io.takhin.testkit.group.GroupScript;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Members that join, sync, die, come back, commit and leave at random, a log that acknowledges
/// late and sometimes refuses, and a coordinator that moves: after every event the invariants are
/// checked. A seed that fails is added to the list and stays there.
class GroupSimulationTest {
  private static final GroupRecordCodec CODEC = new GroupRecordCodec();
  private static final int PARTITIONS = 8;
  private static final String GROUP = "payments";

  /// A consumer, as far as a coordinator can tell.
  private static final class Client {
    final @Nullable String instanceId;
    String memberId = "";
    @Nullable JoinResult generation;
    @Nullable CompletableFuture<JoinResult> joining;
    @Nullable CompletableFuture<SyncResult> syncing;
    Set<Integer> owned = Set.of();
    int ownedIn = -1;
    boolean alive = true;

    Client(@Nullable String instanceId) {
      this.instanceId = instanceId;
    }

    void forget() {
      generation = null;
      joining = null;
      syncing = null;
      owned = Set.of();
    }
  }

  private record Pending(Write<GroupRecord, Effects> write) {}

  private final Random random;
  private final List<GroupRecord> log = new ArrayList<>();
  private final Deque<Pending> inFlight = new ArrayDeque<>();
  private final List<Client> clients = new ArrayList<>();
  private final Map<Integer, Map<Integer, String>> owners = new HashMap<>();
  private final Map<Integer, Long> acknowledged = new HashMap<>();
  private Effects effects = new Effects();
  private GroupStateMachine machine;
  private long monotonicMs = 1_000;
  private long ids;
  private long nextOffset;
  private int generations;

  GroupSimulationTest() {
    random = new Random();
    machine = machine();
  }

  private GroupStateMachine machine() {
    return new GroupStateMachine(ServiceHarness.DEFAULTS, () -> new UUID(0, ++ids));
  }

  private Now now() {
    return new Now(monotonicMs, 1_700_000_000_000L + monotonicMs);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void invariantsHoldAfterEveryEvent(long seed) {
    random.setSeed(seed);
    for (int i = 0; i < 6; i++) {
      clients.add(new Client(i < 2 ? "i" + i : null));
    }
    for (int step = 0; step < 5_000; step++) {
      try {
        event();
        perform();
        checkInvariants();
      } catch (AssertionError | RuntimeException e) {
        throw new AssertionError("seed " + seed + ", step " + step, e);
      }
    }
    assertTrue(generations > 10, "the group must have got somewhere: " + generations);
    assertTrue(acknowledged.size() > 1, "offsets must have been committed");
  }

  private void event() {
    Client client = clients.get(random.nextInt(clients.size()));
    switch (random.nextInt(100)) {
      case 0 -> client.alive = !client.alive;
      case 1 -> restart(client);
      case 2 -> leave(client);
      case 3 -> {
        if (random.nextInt(5) == 0) {
          failOver();
        }
      }
      case 4, 5, 6, 7 -> settle(random.nextInt(3) == 0 ? refusal() : ErrorCode.NONE);
      case 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 -> advance(random.nextInt(1_500));
      default -> {
        if (random.nextInt(3) > 0) {
          settle(ErrorCode.NONE);
        }
        if (client.alive) {
          live(client);
        }
      }
    }
  }

  private ErrorCode refusal() {
    return random.nextBoolean() ? ErrorCode.NOT_ENOUGH_REPLICAS : ErrorCode.KAFKA_STORAGE_ERROR;
  }

  private void advance(long ms) {
    monotonicMs += ms;
    machine.expire(now(), effects);
  }

  /// What a client does next, if nothing is on its way.
  private void live(Client client) {
    if (client.joining != null) {
      JoinResult joined = client.joining.getNow(null);
      if (joined != null) {
        client.joining = null;
        joined(client, joined);
      }
    } else if (client.syncing != null) {
      SyncResult synced = client.syncing.getNow(null);
      if (synced != null) {
        client.syncing = null;
        synced(client, synced);
      }
    } else if (client.generation == null) {
      join(client);
    } else if (random.nextInt(40) == 0) {
      join(client);
    } else if (random.nextInt(3) == 0 && !client.owned.isEmpty()) {
      commit(client);
    } else {
      beat(client, client.generation);
    }
  }

  private void join(Client client) {
    JoinRequest request =
        new JoinRequest(
            GROUP,
            client.memberId,
            client.instanceId,
            "client",
            "/127.0.0.1",
            "consumer",
            GroupScript.range("orders"),
            GroupScript.SESSION_TIMEOUT_MS,
            20_000,
            true,
            true,
            null);
    client.joining = new CompletableFuture<>();
    machine.join(now(), request, client.joining, effects);
  }

  private void joined(Client client, JoinResult joined) {
    switch (joined.error()) {
      case MEMBER_ID_REQUIRED -> client.memberId = joined.memberId();
      case NONE -> {
        assertTrue(
            client.generation == null || joined.generation() >= client.generation.generation(),
            "generations rise");
        client.memberId = joined.memberId();
        client.generation = joined;
        generations = Math.max(generations, joined.generation());
        sync(client, joined);
      }
      case UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID -> {
        client.memberId = "";
        client.forget();
      }
      case REBALANCE_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR -> client.forget();
      default -> throw new AssertionError("a join ended in " + joined.error());
    }
  }

  private void sync(Client client, JoinResult joined) {
    List<Assignment> assignments = new ArrayList<>();
    List<JoinedMember> members = joined.members();
    if (!joined.skipAssignment()) {
      for (int m = 0; m < members.size(); m++) {
        StringBuilder owned = new StringBuilder();
        for (int p = m; p < PARTITIONS; p += members.size()) {
          owned.append((char) ('0' + p));
        }
        assignments.add(
            new Assignment(
                members.get(m).memberId(),
                owned.toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII)));
      }
    }
    client.syncing = new CompletableFuture<>();
    machine.sync(
        now(),
        new SyncRequest(
            GROUP,
            joined.generation(),
            client.memberId,
            client.instanceId,
            "consumer",
            joined.protocolName(),
            assignments),
        client.syncing,
        effects);
  }

  private void synced(Client client, SyncResult synced) {
    JoinResult generation = client.generation;
    if (synced.error() == ErrorCode.NONE && generation != null) {
      Set<Integer> owned = new HashSet<>();
      for (byte b : synced.assignment()) {
        owned.add(b - '0');
      }
      own(client, generation.generation(), owned);
    } else if (synced.error() == ErrorCode.UNKNOWN_MEMBER_ID
        || synced.error() == ErrorCode.FENCED_INSTANCE_ID) {
      client.memberId = "";
      client.forget();
    } else {
      client.forget();
    }
  }

  /// The invariant of the whole: in one generation a partition has one owner. A static member's
  /// next incarnation is the same owner.
  private void own(Client client, int generation, Set<Integer> owned) {
    String name = client.instanceId == null ? client.memberId : client.instanceId;
    Map<Integer, String> of = owners.computeIfAbsent(generation, g -> new TreeMap<>());
    for (int partition : owned) {
      String before = of.putIfAbsent(partition, name);
      assertTrue(
          before == null || before.equals(name),
          "partition " + partition + " has two owners in generation " + generation);
    }
    client.owned = owned;
    client.ownedIn = generation;
  }

  private void beat(Client client, JoinResult generation) {
    ErrorCode error =
        machine.heartbeat(
            monotonicMs, GROUP, generation.generation(), client.memberId, client.instanceId);
    switch (error) {
      case NONE -> {}
      case REBALANCE_IN_PROGRESS, ILLEGAL_GENERATION -> client.forget();
      case UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID -> {
        client.memberId = "";
        client.forget();
      }
      default -> throw new AssertionError("a heartbeat ended in " + error);
    }
  }

  private void commit(Client client) {
    int partition = client.owned.iterator().next();
    long offset = ++nextOffset;
    CompletableFuture<List<ErrorCode>> to = new CompletableFuture<>();
    OffsetToCommit one = new OffsetToCommit(null, "orders", partition, offset, -1, "");
    machine.commitOffsets(
        now(),
        new CommitRequest(
            GROUP, client.ownedIn, client.memberId, client.instanceId, -1, List.of(one)),
        to,
        effects);
    to.thenAccept(
        errors -> {
          if (errors.getFirst() == ErrorCode.NONE) {
            acknowledged.merge(partition, offset, Math::max);
          }
        });
  }

  private void leave(Client client) {
    CompletableFuture<LeaveResult> to = new CompletableFuture<>();
    machine.leave(
        now(),
        GROUP,
        List.of(new LeavingMember(client.memberId, client.instanceId, null)),
        to,
        effects);
    client.memberId = "";
    client.forget();
  }

  private static void restart(Client client) {
    client.memberId = "";
    client.forget();
  }

  /// Does what the machine asked for: writes go into flight, answers are given.
  private void perform() {
    effects.takeWrites().forEach(write -> inFlight.add(new Pending(write)));
    effects.takeAnswers().forEach(Effects.Answer::give);
  }

  private void settle(ErrorCode error) {
    Pending oldest = inFlight.poll();
    if (oldest != null) {
      if (error == ErrorCode.NONE) {
        log.addAll(oldest.write().records());
      }
      oldest.write().then().settled(error, now(), effects);
    }
  }

  /// Another broker takes over: it has the log, and nothing else.
  private void failOver() {
    machine.resign(ErrorCode.NOT_COORDINATOR, effects);
    effects.takeWrites();
    effects.takeAnswers().forEach(Effects.Answer::give);
    inFlight.clear();
    effects = new Effects();
    GroupStateMachine next = replayed();
    assertEquals(offsets(machine), offsets(next), "replay gives the offsets back");
    machine = next;
    machine.loaded(now(), effects);
    for (Client client : clients) {
      client.joining = null;
      client.syncing = null;
    }
    // A generation whose assignment was not stored did not happen; its number may come again.
    Group group = machine.group(GROUP);
    int stored = group == null ? 0 : group.generation();
    owners.keySet().removeIf(generation -> generation > stored);
    clients.forEach(
        client -> {
          if (client.generation != null && client.generation.generation() > stored) {
            client.forget();
          }
        });
  }

  private GroupStateMachine replayed() {
    GroupStateMachine next = machine();
    for (GroupRecord record : log) {
      GroupRecord read = CODEC.decode(java.nio.ByteBuffer.wrap(CODEC.key(record)), value(record));
      if (read != null) {
        next.replay(read);
      }
    }
    return next;
  }

  private static java.nio.@Nullable ByteBuffer value(GroupRecord record) {
    byte[] value = CODEC.value(record);
    return value == null ? null : java.nio.ByteBuffer.wrap(value);
  }

  private static Map<String, Long> offsets(GroupStateMachine machine) {
    Map<String, Long> offsets = new TreeMap<>();
    for (FetchedOffset each : machine.fetchOffsets(GROUP, null, false).offsets()) {
      offsets.put(each.topic() + "-" + each.partition(), each.offset());
    }
    return offsets;
  }

  private void checkInvariants() {
    acknowledged.forEach(
        (partition, offset) -> {
          FetchedOffset fetched =
              machine
                  .fetchOffsets(GROUP, List.of(new OffsetKey("orders", partition)), false)
                  .offsets()
                  .getFirst();
          assertTrue(
              fetched.offset() >= offset,
              "an acknowledged offset of partition " + partition + " went back");
        });
    Group group = machine.group(GROUP);
    if (group != null) {
      long waiting = group.members().stream().filter(m -> m.awaitingJoin != null).count();
      assertEquals(waiting, group.awaitingJoin(), "the count of who waits at the barrier");
      if (group.size() > 0) {
        assertTrue(group.member(group.leader()) != null, "the leader is a member");
      }
      if (group.is(GroupState.EMPTY)) {
        assertEquals(0, group.size());
      }
      if (group.is(GroupState.STABLE) && inFlight.isEmpty() && group.inLog) {
        Group stored = replayed(group);
        assertEquals(group.generation(), stored.generation(), "replay gives the generation back");
        assertEquals(
            group.members().stream().map(m -> m.memberId).toList(),
            stored.members().stream().map(m -> m.memberId).toList());
      }
    }
  }

  private Group replayed(Group group) {
    Group stored = new Group(group.groupId());
    for (int i = log.size() - 1; i >= 0; i--) {
      if (log.get(i) instanceof GroupRecord.GroupMetadata(String id, GroupRecord.Generation value)
          && id.equals(group.groupId())
          && value != null) {
        stored.restore(value);
        return stored;
      }
    }
    throw new AssertionError("a stable group that the log does not know");
  }
}
