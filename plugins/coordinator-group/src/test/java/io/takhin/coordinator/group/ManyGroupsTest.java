package io.takhin.coordinator.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.group.GroupCoordinator;
import io.takhin.api.group.GroupCoordinator.CommitRequest;
import io.takhin.api.group.GroupCoordinator.OffsetToCommit;
import io.takhin.testkit.group.GroupScript;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/// B21: clients that make groups and members without end; `-Dtakhin.hostile.groups` tries more.
class ManyGroupsTest {
  private static final int GROUPS = 1000;
  private static final int TRIED = Integer.getInteger("takhin.hostile.groups", 50 * GROUPS);
  private final ServiceHarness harness = new ServiceHarness();
  private final GroupCoordinator coordinator =
      harness.start(
          new GroupConfig(
              50, 3, 10_080, 600_000, 4096, 6_000, 1_800_000, 3_000, Integer.MAX_VALUE, GROUPS));

  private ErrorCode commit(String group) {
    return coordinator
        .commitOffsets(
            new CommitRequest(
                group, -1, "", null, -1, List.of(new OffsetToCommit(null, "orders", 0, 5, -1, ""))))
        .join()
        .getFirst();
  }

  private int groups() {
    return coordinator.list(Set.of(), Set.of()).groups().size();
  }

  @Test
  void b21GroupsWithoutMembersAreBounded() {
    assertEquals(ErrorCode.NONE, coordinator.partitionFor("first").join().error());
    assertEquals(ErrorCode.NONE, commit("first"));
    int refused = 0;
    for (int i = 0; i < TRIED; i++) {
      refused += commit("group-" + i) == ErrorCode.GROUP_MAX_SIZE_REACHED ? 1 : 0;
    }
    assertTrue(groups() <= 2 * GROUPS, groups() + " groups");
    assertTrue(refused >= TRIED - 2 * GROUPS, refused + " refused");
    assertEquals(ErrorCode.NONE, commit("first"), "those that there are go on");
  }

  @Test
  void b21IdsThatNobodyComesBackWithAreBounded() {
    assertEquals(ErrorCode.NONE, coordinator.partitionFor("fake").join().error());
    GroupScript script = new GroupScript(coordinator, "fake");
    String first = script.newMemberId();
    for (int i = 0; i < 2 * Group.MAX_PENDING; i++) {
      script.newMemberId();
    }
    assertEquals(ErrorCode.UNKNOWN_MEMBER_ID, script.join(first).join().error());
    for (int i = 0; i < TRIED; i++) {
      assertTrue(new GroupScript(coordinator, "fake-" + i).join("").isDone());
    }
    assertTrue(groups() <= 2 * GROUPS, groups() + " groups");
  }

  @Test
  void manyPendingIdsStayInOrder() {
    Group group = new Group("g");
    for (int i = 0; i < Group.MAX_PENDING + 5; i++) {
      group.addPending(new UUID(0, i).toString(), i);
    }
    assertEquals(Group.MAX_PENDING, group.pendingMembers().size());
    assertTrue(!group.pendingMembers().containsKey(new UUID(0, 4).toString()));
  }
}
