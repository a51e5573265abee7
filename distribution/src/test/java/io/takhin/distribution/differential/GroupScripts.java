package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.GroupRequests.commit;
import static io.takhin.distribution.differential.GroupRequests.coordinator;
import static io.takhin.distribution.differential.GroupRequests.delete;
import static io.takhin.distribution.differential.GroupRequests.deleteOffsets;
import static io.takhin.distribution.differential.GroupRequests.describe;
import static io.takhin.distribution.differential.GroupRequests.heartbeat;
import static io.takhin.distribution.differential.GroupRequests.join;
import static io.takhin.distribution.differential.GroupRequests.joined;
import static io.takhin.distribution.differential.GroupRequests.leave;
import static io.takhin.distribution.differential.GroupRequests.list;
import static io.takhin.distribution.differential.GroupRequests.sync;
import static io.takhin.distribution.differential.GroupRequests.syncAs;
import static io.takhin.distribution.differential.GroupRequests.untilState;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.topic;

import io.takhin.distribution.differential.GroupRequests.As;
import io.takhin.distribution.differential.GroupRequests.Terms;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;

/// Groups of the classic protocol.
final class GroupScripts {
  private static final As ONE = As.member("g", "one");
  private static final As TWO = As.member("g", "two");
  private static final As STRANGER = As.member("g", "!stranger");
  private static final Terms TERMS = Terms.CONSUMER;

  private GroupScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.JOIN_GROUP)) {
      all.add(life(v));
      all.add(badJoins(v));
      if (v >= 5) {
        all.add(statics(v));
      }
    }
    for (int v : versions(ApiKeys.SYNC_GROUP)) {
      all.add(syncs(v));
    }
    for (int v : versions(ApiKeys.HEARTBEAT)) {
      all.add(heartbeats(v));
    }
    for (int v : versions(ApiKeys.LEAVE_GROUP)) {
      all.add(leaves(v));
    }
    for (int v : versions(ApiKeys.DESCRIBE_GROUPS)) {
      all.add(descriptions(v));
    }
    for (int v : versions(ApiKeys.DELETE_GROUPS)) {
      all.add(deletions(v));
    }
    for (int v : versions(ApiKeys.FIND_COORDINATOR)) {
      all.add(coordinators(v));
    }
    for (int v : versions(ApiKeys.LIST_GROUPS)) {
      all.add(filters(v));
    }
    all.add(rebalance(3));
    all.add(rebalance(9));
    all.add(subscribed());
    return all;
  }

  private static Script life(int v) {
    return Script.named("T35 a member's life, join v" + v)
        .steps(joined(v, ONE, TERMS))
        .step(describe(5, "g"))
        .step(sync(3, ONE, "one", "its share"))
        .step(describe(5, "g"))
        .step(heartbeat(3, ONE))
        .step(join(v, ONE, TERMS))
        .step(heartbeat(3, ONE))
        .step(sync(3, ONE, "one", "again"))
        .step(leave(1, ONE))
        .step(describe(5, "g"))
        .step(heartbeat(3, ONE))
        .step(join(v, ONE, TERMS))
        .build();
  }

  private static Script badJoins(int v) {
    return Script.named("T36 joins that are refused v" + v)
        .step(join(v, As.member("!", "x"), TERMS))
        .step(join(v, STRANGER, TERMS))
        .step(join(v, ONE, TERMS.session(1)))
        .step(join(v, ONE, TERMS.session(1_800_001)))
        .step(join(v, ONE, TERMS.session(-1)))
        .step(join(v, ONE, TERMS.supporting()))
        .step(join(v, ONE, TERMS.type("")))
        .steps(joined(v, ONE, TERMS))
        .step(join(v, STRANGER, TERMS))
        .step(join(v, As.member("g", "new"), TERMS.type("connect")))
        .step(join(v, As.member("g", "new"), TERMS.supporting("roundrobin")))
        .step(join(v, ONE, TERMS.supporting("roundrobin")))
        .step(join(v, ONE, TERMS.type("connect")))
        .step(describe(5, "g"))
        .build();
  }

  private static Script statics(int v) {
    As one = As.member("g", "one").instance("i");
    As again = As.member("g", "again").instance("i");
    return Script.named("T35 a static member, join v" + v)
        .step(join(v, one, TERMS))
        .step(sync(5, one, "one", "share"))
        .step(heartbeat(4, one))
        .step(join(v, again, TERMS))
        .step(describe(5, "g"))
        .step(heartbeat(4, one))
        .step(heartbeat(4, again))
        .step(sync(5, again, "again", "share"))
        .step(commit(8, one, "a", 0, 1, ""))
        .step(join(v, one, TERMS))
        .step(leave(4, As.member("g", "!wrong").instance("i")))
        .step(leave(4, As.member("g", "").instance("nobody")))
        .step(leave(4, As.member("g", "").instance("i")))
        .step(describe(5, "g"))
        .build();
  }

  private static Script syncs(int v) {
    return Script.named("T36 syncs v" + v)
        .step(sync(v, As.member("!", "!x").generation(1)))
        .step(sync(v, STRANGER.generation(1)))
        .steps(joined(5, ONE, TERMS))
        .step(sync(v, STRANGER))
        .step(sync(v, ONE.generation(7)))
        .step(sync(v, ONE.generation(-1)))
        .step(syncAs(v, ONE, "connect", "range", "one", "x"))
        .step(syncAs(v, ONE, "consumer", "other", "one", "x"))
        .step(syncAs(v, ONE, null, null, "one", "x"))
        .step(sync(v, ONE, "one", "x"))
        .step(sync(v, ONE))
        .step(sync(v, ONE, "one", "y"))
        .build();
  }

  private static Script heartbeats(int v) {
    return Script.named("T36 heartbeats v" + v)
        .step(heartbeat(v, As.member("!", "!x").generation(1)))
        .step(heartbeat(v, STRANGER.generation(1)))
        .steps(joined(5, ONE, TERMS))
        .step(heartbeat(v, ONE))
        .step(heartbeat(v, STRANGER))
        .step(heartbeat(v, ONE.generation(9)))
        .step(heartbeat(v, ONE.generation(-1)))
        .step(heartbeat(v, ONE.generation(0)))
        .step(heartbeat(v, ONE.instance("i")))
        .step(sync(3, ONE, "one", "x"))
        .step(heartbeat(v, ONE))
        .step(heartbeat(v, As.member("g", "").generation(1)))
        .build();
  }

  private static Script leaves(int v) {
    return Script.named("T38 leaving v" + v)
        .step(leave(v, As.member("!", "!x")))
        .step(leave(v, STRANGER))
        .steps(joined(5, ONE, TERMS))
        .step(sync(3, ONE, "one", "x"))
        .step(leave(v, STRANGER))
        .step(leave(v, ONE, STRANGER))
        .step(leave(v, ONE))
        .step(leave(v, As.member("g", "")))
        .step(describe(5, "g"))
        .build();
  }

  private static Script descriptions(int v) {
    return Script.named("T41 described v" + v)
        .step(describe(v, "g"))
        .step(describe(v, "!"))
        .step(describe(v))
        .steps(joined(5, ONE, TERMS.supporting("range", "roundrobin")))
        .step(describe(v, "g", "missing"))
        .step(sync(3, ONE, "one", "x"))
        .step(describe(v, "g", "g"))
        .step(leave(1, ONE))
        .step(describe(v, "g"))
        .step(delete(1, "g"))
        .step(describe(v, "g"))
        .build();
  }

  private static Script deletions(int v) {
    return Script.named("T42 groups deleted v" + v)
        .step(topic("a", 1))
        .step(delete(v, "missing"))
        .step(delete(v, "!"))
        .step(delete(v))
        .steps(joined(5, ONE, TERMS))
        .step(delete(v, "g", "missing"))
        .step(leave(1, ONE))
        .step(delete(v, "g", "g"))
        .step(delete(v, "g"))
        .step(commit(8, As.member("o", "").generation(-1), "a", 0, 1, ""))
        .step(delete(v, "o"))
        .step(GroupRequests.offsets(7, "o", false, "a"))
        .build();
  }

  private static Script coordinators(int v) {
    Script.Builder script =
        Script.named("T39 coordinators v" + v)
            .step(coordinator(v, 0, "g"))
            .step(coordinator(v, 0, "!"))
            .step(coordinator(v, 1, "t"));
    if (v >= 1) {
      script
          .step(coordinator(v, 1, "!"))
          .step(coordinator(v, 3, "x"))
          .step(coordinator(v, -1, "x"))
          .step(coordinator(v, 2, "x"));
    }
    if (v >= 4) {
      script.step(coordinator(v, 0, "g", "h", "g")).step(coordinator(v, 0));
    }
    return script.build();
  }

  private static Script filters(int v) {
    return Script.named("T41 groups listed v" + v)
        .steps(joined(5, ONE, TERMS))
        .step(list(v, List.of(), List.of()))
        .step(list(v, List.of("Stable"), List.of()))
        .step(list(v, List.of("completingrebalance", "Stable"), List.of("Classic")))
        .step(list(v, List.of(), List.of("consumer")))
        .step(list(v, List.of("NoSuchState"), List.of("nosuchtype")))
        .step(list(v, List.of("CompletingRebalance"), List.of("classic")))
        .build();
  }

  private static Script rebalance(int v) {
    return Script.named("T36 two members, join v" + v)
        .steps(joined(v, ONE, TERMS.supporting("range", "roundrobin")))
        .step(sync(3, ONE, "one", "all"))
        .step(joined(v, TWO, TERMS.supporting("roundrobin")).getFirst().on(1).awaited(v < 4))
        .step(v < 4 ? heartbeat(3, STRANGER) : second(v))
        .step(untilState("g", "PreparingRebalance"))
        .step(heartbeat(3, ONE))
        .step(commit(6, ONE, "a", 0, 1, ""))
        .step(sync(3, ONE))
        .step(join(v, ONE, TERMS.supporting("range", "roundrobin")))
        .step(describe(5, "g"))
        .step(heartbeat(3, ONE))
        .step(syncAs(3, TWO, "consumer", "roundrobin").on(1).awaited(true))
        .step(syncAs(3, ONE, "consumer", "roundrobin", "one", "p0", "two", "p1"))
        .step(untilState("g", "Stable"))
        .step(heartbeat(3, TWO).on(1))
        .step(leave(1, TWO).on(1))
        .step(heartbeat(3, ONE))
        .step(join(v, ONE, TERMS))
        .step(describe(5, "g"))
        .build();
  }

  private static Step second(int v) {
    return join(v, TWO, TERMS.supporting("roundrobin")).on(1).awaited(true);
  }

  private static Script subscribed() {
    return Script.named("T42 offsets of a subscribed topic stay")
        .step(topic("a", 1))
        .step(commit(8, As.member("g", "").generation(-1), "a", 0, 1, ""))
        .steps(joined(5, ONE, TERMS))
        .step(sync(3, ONE, "one", "x"))
        .step(deleteOffsets("g", "a", 0))
        .step(commit(8, ONE, "a", 0, 2, ""))
        .step(commit(8, STRANGER, "a", 0, 3, ""))
        .step(commit(8, ONE.generation(0), "a", 0, 3, ""))
        .step(commit(8, As.member("g", "").generation(-1), "a", 0, 3, ""))
        .step(GroupRequests.offsets(8, "g", true, "a"))
        .step(delete(2, "g"))
        .build();
  }
}
