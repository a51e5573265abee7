package io.takhin.distribution.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator.Assignment;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.FetchedOffset;
import io.takhin.api.group.GroupCoordinator.FetchedOffsets;
import io.takhin.api.group.GroupCoordinator.JoinRequest;
import io.takhin.api.group.GroupCoordinator.JoinResult;
import io.takhin.api.group.GroupCoordinator.LeaveResult;
import io.takhin.api.group.GroupCoordinator.LeavingMember;
import io.takhin.api.group.GroupCoordinator.OffsetKey;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.api.group.GroupCoordinator.PartitionResult;
import io.takhin.api.group.GroupCoordinator.Protocol;
import io.takhin.api.group.GroupCoordinator.SyncRequest;
import io.takhin.api.group.GroupCoordinator.SyncResult;
import io.takhin.api.partition.Partition;
import io.takhin.distribution.simulation.LogReplay.Keyed;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// A consumer in a group: joins, is told what it owns, reads, commits; now and then it falls asleep
/// for longer than its session, leaves, or dies and comes back: as somebody else, or, if it is a
/// static member (KIP-345), as the one that it was.
final class ConsumerClient {
  private static final int SESSION_MS = 3_000;
  private static final int REBALANCE_MS = 4_000;

  private final BrokerSimulation world;
  private final String name;
  private final String group;
  private final GroupLedger ledger;
  private final @Nullable String instanceId;
  private String memberId = "";
  private String before = "";
  private long lossesBefore;
  private int generation = -1;
  private final Map<String, Long> positions = new TreeMap<>();
  private final Map<String, Long> floors = new HashMap<>();

  /// @param isStatic whether it keeps its place in the group when it dies and comes back in time
  ConsumerClient(
      BrokerSimulation world, String name, String group, GroupLedger ledger, boolean isStatic) {
    this.instanceId = isStatic ? "instance-of-" + name : null;
    this.world = world;
    this.name = name;
    this.group = group;
    this.ledger = ledger;
  }

  void run() {
    PartitionResult coordinator = null;
    while (!world.over() && (coordinator == null || coordinator.error() != ErrorCode.NONE)) {
      coordinator = world.ask(name, (b, to) -> b.groups().partitionFor(group).thenAccept(to));
      world.sleepMs(50);
    }
    while (!world.over()) {
      if (join() && fetchPositions()) {
        live();
      }
      world.sleepMs(20 + world.random().nextInt(200));
    }
  }

  private boolean join() {
    positions.clear();
    JoinRequest request =
        new JoinRequest(
            group,
            memberId,
            instanceId,
            name,
            "host",
            "consumer",
            List.of(new Protocol("range", new byte[0])),
            SESSION_MS,
            REBALANCE_MS,
            true,
            true,
            null);
    JoinResult joined = world.ask(name, (b, to) -> b.groups().join(request).thenAccept(to));
    if (joined == null) {
      return false;
    }
    if (joined.error() == ErrorCode.MEMBER_ID_REQUIRED) {
      memberId = joined.memberId();
      return false;
    }
    if (joined.error() != ErrorCode.NONE) {
      forgetIfUnknown(joined.error());
      return false;
    }
    memberId = joined.memberId();
    generation = joined.generation();
    List<Assignment> assignments = new ArrayList<>();
    if (joined.leader().equals(memberId) && !joined.skipAssignment()) {
      List<String> all = world.stablePartitions();
      for (int m = 0; m < joined.members().size(); m++) {
        List<String> mine = new ArrayList<>();
        for (int p = m; p < all.size(); p += joined.members().size()) {
          mine.add(all.get(p));
        }
        assignments.add(
            new Assignment(
                joined.members().get(m).memberId(), String.join(",", mine).getBytes(UTF_8)));
      }
    }
    SyncRequest sync =
        new SyncRequest(group, generation, memberId, instanceId, "consumer", "range", assignments);
    SyncResult synced = world.ask(name, (b, to) -> b.groups().sync(sync).thenAccept(to));
    if (synced == null || synced.error() != ErrorCode.NONE) {
      forgetIfUnknown(synced == null ? ErrorCode.NONE : synced.error());
      return false;
    }
    Set<String> mine = new TreeSet<>(List.of(new String(synced.assignment(), UTF_8).split(",")));
    mine.remove("");
    ledger.owns(generation, instanceId == null ? memberId : instanceId, mine);
    mine.forEach(partition -> positions.put(partition, -1L));
    return true;
  }

  private boolean fetchPositions() {
    for (String partition : List.copyOf(positions.keySet())) {
      OffsetKey key = BrokerSimulation.key(partition);
      FetchedOffsets fetched =
          world.ask(
              name,
              (b, to) ->
                  b.groups()
                      .fetchOffsets(group, List.of(key), true)
                      .thenAccept(
                          offsets -> {
                            if (offsets.error() == ErrorCode.NONE) {
                              ledger.fetched(partition, offsets.offsets().getFirst().offset());
                            }
                            to.accept(offsets);
                          }));
      if (fetched == null || fetched.error() != ErrorCode.NONE) {
        return false;
      }
      FetchedOffset offset = fetched.offsets().getFirst();
      positions.put(partition, Math.max(0, offset.offset()));
      floors.put(partition, Math.max(0, offset.offset()));
    }
    return true;
  }

  private void live() {
    while (!world.over()) {
      if (world.chance(0.01)) {
        world.note(name + " dies");
        before = memberId;
        lossesBefore = world.lossCount();
        memberId = "";
        world.sleepMs(world.random().nextInt(2 * SESSION_MS));
        return;
      }
      if (world.chance(0.01)) {
        leave();
        return;
      }
      if (world.chance(0.01)) {
        world.sleepMs(SESSION_MS * 2); // a long collection of garbage
      }
      ErrorCode alive =
          world.ask(
              name,
              (b, to) -> to.accept(b.groups().heartbeat(group, generation, memberId, instanceId)));
      if (alive != null && alive != ErrorCode.NONE) {
        forgetIfUnknown(alive);
        return;
      }
      if (instanceId != null && !before.isEmpty() && world.chance(0.3)) {
        ghostCommits();
      }
      for (String partition : positions.keySet()) {
        poll(partition);
      }
      if (world.chance(0.5) && !commit()) {
        return;
      }
      world.sleepMs(world.random().nextInt(600));
    }
  }

  private void poll(String name_) {
    long from = positions.getOrDefault(name_, 0L);
    List<Keyed> found = new ArrayList<>();
    Long next =
        world.ask(
            name,
            (broker, to) -> {
              Partition partition = world.partition(broker, name_);
              if (partition == null) {
                to.accept(from);
                return;
              }
              ErrorCode error = PartitionLedger.read(partition.reader(), from, found);
              if (error == ErrorCode.OFFSET_OUT_OF_RANGE) {
                to.accept(Math.max(partition.logStartOffset(), partition.highWatermark()));
                return;
              }
              // What was read is known, whether or not the answer arrives.
              if (broker.process().alive()) {
                PartitionLedger told = world.ledger(name_);
                for (Keyed record : found) {
                  if (record.offset() >= from) {
                    told.learn(record.offset(), record.key());
                  }
                }
              }
              to.accept(found.isEmpty() ? from : found.getLast().offset() + 1);
            });
    if (next != null) {
      positions.put(name_, next);
    }
  }

  private boolean commit() {
    List<OffsetToCommit> offsets = new ArrayList<>();
    Map<String, Long> sent = new TreeMap<>();
    positions.forEach(
        (partition, offset) -> {
          if (offset >= floors.getOrDefault(partition, 0L)) {
            OffsetKey key = BrokerSimulation.key(partition);
            offsets.add(new OffsetToCommit(null, key.topic(), key.partition(), offset, -1, ""));
            sent.put(partition, offset);
          }
        });
    if (offsets.isEmpty()) {
      return true;
    }
    int known = ledger.generation();
    int of = generation;
    long epoch = world.lossCount();
    CommitRequest request = new CommitRequest(group, generation, memberId, instanceId, -1, offsets);
    CompletableFuture<@Nullable List<ErrorCode>> answer = new CompletableFuture<>();
    world.ask(
        name,
        answer,
        (b, to) ->
            b.groups()
                .commitOffsets(request)
                .thenAccept(
                    results -> {
                      if (results.getFirst() == ErrorCode.NONE && b.process().alive()) {
                        sent.forEach(
                            (partition, offset) -> {
                              if (epoch == world.lossCount()) {
                                ledger.committed(of, known, partition, offset);
                              }
                            });
                      }
                      to.accept(results);
                    }));
    List<ErrorCode> results = answer.join();
    if (results == null) {
      return true;
    }
    return switch (results.getFirst()) {
      case NONE -> {
        floors.putAll(sent);
        yield true;
      }
      case UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID -> {
        memberId = "";
        yield false;
      }
      case ILLEGAL_GENERATION, GROUP_ID_NOT_FOUND, REBALANCE_IN_PROGRESS -> false;
      default -> true;
    };
  }

  /// FENCED_INSTANCE_ID: another life of this static member has joined since.
  private void forgetIfUnknown(ErrorCode error) {
    if (error == ErrorCode.UNKNOWN_MEMBER_ID || error == ErrorCode.FENCED_INSTANCE_ID) {
      memberId = "";
    }
  }

  /// The life before of a static member lives on for a moment: nobody may believe it.
  private void ghostCommits() {
    String ghost = before;
    before = "";
    String partition = positions.isEmpty() ? TransactionalClient.INPUT : firstPosition();
    OffsetKey key = BrokerSimulation.key(partition);
    OffsetToCommit offset = new OffsetToCommit(null, key.topic(), key.partition(), 0, -1, "");
    CommitRequest request =
        new CommitRequest(group, generation, ghost, instanceId, -1, List.of(offset));
    List<ErrorCode> results =
        world.ask(name, (b, to) -> b.groups().commitOffsets(request).thenAccept(to));
    boolean lost = lossesBefore != world.lossCount(); // perhaps the record of its successor
    if (results != null && results.getFirst() == ErrorCode.NONE && !lost) {
      throw new AssertionError(ghost + " commits, though " + memberId + " is " + instanceId);
    }
  }

  private String firstPosition() {
    return positions.keySet().iterator().next();
  }

  private void leave() {
    String leaving = memberId;
    memberId = "";
    LeaveResult left =
        world.ask(
            name,
            (b, to) ->
                b.groups()
                    .leave(group, List.of(new LeavingMember(leaving, null, null)))
                    .thenAccept(to));
    world.note(name + " leaves: " + left);
  }
}
