package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.GroupRequests.commit;
import static io.takhin.distribution.differential.GroupRequests.delete;
import static io.takhin.distribution.differential.GroupRequests.deleteOffsets;
import static io.takhin.distribution.differential.GroupRequests.describe;
import static io.takhin.distribution.differential.GroupRequests.join;
import static io.takhin.distribution.differential.GroupRequests.leave;
import static io.takhin.distribution.differential.GroupRequests.list;
import static io.takhin.distribution.differential.GroupRequests.offsets;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.topic;

import io.takhin.distribution.differential.GroupRequests.As;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;

/// Committed offsets of groups without members.
final class OffsetScripts {
  private static final As NOBODY = As.member("g", "").generation(-1);

  private OffsetScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.OFFSET_COMMIT)) {
      all.add(commits(v));
    }
    for (int v : versions(ApiKeys.OFFSET_FETCH)) {
      all.add(fetches(v));
    }
    all.add(deletions());
    all.add(refused());
    return all;
  }

  private static Script commits(int v) {
    return Script.named("T40 commits v" + v)
        .step(topic("a", 2))
        .step(commit(v, NOBODY, "a", 0, 5, "m"))
        .step(commit(v, NOBODY, "a", 1, 7, null))
        .step(commit(v, NOBODY, "a", 0, 4, ""))
        .step(commit(v, NOBODY, "a", 0, -1, ""))
        .step(commit(v, NOBODY, "a", 0, -2, ""))
        .step(commit(v, NOBODY, "a", 9, 1, ""))
        .step(commit(v, NOBODY, "missing", 0, 1, ""))
        .step(commit(v, NOBODY, "a", 1, 8, "m".repeat(4096)))
        .step(commit(v, NOBODY, "a", 1, 9, "m".repeat(4097)))
        .step(commit(v, As.member("g", "!stranger").generation(-1), "a", 0, 1, ""))
        .step(commit(v, As.member("g", "!stranger").generation(3), "a", 0, 1, ""))
        .step(commit(v, As.member("g", "").generation(3), "a", 0, 1, ""))
        .step(commit(v, As.member("new", "").generation(0), "a", 0, 1, ""))
        .step(offsets(7, "g", false, "a"))
        .build();
  }

  private static Script fetches(int v) {
    return Script.named("T40 committed offsets v" + v)
        .step(topic("a", 2))
        .step(topic("b", 1))
        .step(offsets(v, "g", false, "a"))
        .step(offsets(v, "g", false))
        .step(commit(8, NOBODY, "a", 0, 5, "m"))
        .step(commit(8, NOBODY, "b", 0, 6, null))
        .step(offsets(v, "g", false, "a"))
        .step(offsets(v, "g", true, "a", "b"))
        .step(offsets(v, "g", false))
        .step(offsets(v, "g", false, "missing"))
        .step(offsets(v, "other", false, "a"))
        .step(offsets(v, "!", false, "a"))
        .build();
  }

  private static Script refused() {
    As stranger = As.member("g", "!stranger");
    String tooLong = "m".repeat(4097);
    return Script.named("T42 a group of refused commits")
        .step(topic("a", 2))
        .step(commit(8, NOBODY, "a", 0, 5, tooLong))
        .step(describe(6, "g"))
        .step(join(5, stranger, GroupRequests.Terms.CONSUMER))
        .step(leave(3, stranger))
        .step(list(5, List.of(), List.of()))
        .step(deleteOffsets("g", "a", 0))
        .step(offsets(8, "g", false))
        .step(delete(2, "g"))
        .step(delete(2, "g"))
        .step(commit(8, NOBODY, "missing", 0, 5, "m"))
        .step(delete(2, "g"))
        .step(commit(8, stranger.generation(3), "a", 0, 5, "m"))
        .step(delete(2, "g"))
        .build();
  }

  private static Script deletions() {
    return Script.named("T42 offsets deleted")
        .step(topic("a", 2))
        .step(deleteOffsets("g", "a", 0))
        .step(commit(8, NOBODY, "a", 0, 5, "m"))
        .step(deleteOffsets("g", "a", 0))
        .step(deleteOffsets("g", "a", 0))
        .step(deleteOffsets("g", "a", 9))
        .step(deleteOffsets("g", "missing", 0))
        .step(deleteOffsets("!", "a", 0))
        .step(offsets(8, "g", false))
        .step(delete(2, "g"))
        .build();
  }
}
