package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.LogRequests.describeProducers;
import static io.takhin.distribution.differential.LogRequests.fetch;
import static io.takhin.distribution.differential.LogRequests.fetchCommitted;
import static io.takhin.distribution.differential.LogRequests.listOffsets;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.topic;
import static io.takhin.distribution.differential.TransactionRequests.addOffsets;
import static io.takhin.distribution.differential.TransactionRequests.addPartitions;
import static io.takhin.distribution.differential.TransactionRequests.commitOffsets;
import static io.takhin.distribution.differential.TransactionRequests.describe;
import static io.takhin.distribution.differential.TransactionRequests.end;
import static io.takhin.distribution.differential.TransactionRequests.init;
import static io.takhin.distribution.differential.TransactionRequests.initAgain;
import static io.takhin.distribution.differential.TransactionRequests.list;
import static io.takhin.distribution.differential.TransactionRequests.produce;
import static io.takhin.distribution.differential.TransactionRequests.writeMarker;

import io.takhin.distribution.differential.TransactionRequests.As;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;

/// Producers with ids, and transactions.
final class TransactionScripts {
  private static final As P = As.producer("t", "p");
  private static final GroupRequests.As NOBODY = GroupRequests.As.member("g", "").generation(-1);

  private TransactionScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.INIT_PRODUCER_ID)) {
      all.add(ids(v));
      if (v >= 3) {
        all.add(recovery(v));
        all.add(inTheMiddle(v));
      }
    }
    for (int v : versions(ApiKeys.ADD_PARTITIONS_TO_TXN, n -> n < 4)) {
      all.add(partitions(v));
    }
    for (int v : versions(ApiKeys.ADD_OFFSETS_TO_TXN)) {
      all.add(offsets(v));
    }
    for (int v : versions(ApiKeys.TXN_OFFSET_COMMIT)) {
      all.add(offsetCommits(v));
    }
    for (int v : versions(ApiKeys.END_TXN)) {
      all.add(ends(v, true));
      all.add(ends(v, false));
    }
    for (int v : versions(ApiKeys.PRODUCE)) {
      all.add(batches(v));
    }
    for (int v : versions(ApiKeys.PRODUCE, n -> n == 3 || n == 11)) {
      all.add(overtaking(v));
    }
    all.add(compressedAnew());
    for (int v : versions(ApiKeys.TXN_OFFSET_COMMIT, n -> n == 3 || n == 5)) {
      all.add(othersOffsets(v));
    }
    all.add(endsAfterFences());
    for (int v : versions(ApiKeys.LIST_TRANSACTIONS)) {
      all.add(listed(v));
    }
    for (int v : versions(ApiKeys.WRITE_TXN_MARKERS)) {
      all.add(markers(v));
    }
    all.add(committedReads());
    all.add(implicit());
    all.add(fenced());
    return all;
  }

  private static Script ids(int v) {
    return Script.named("T46 producer ids v" + v)
        .step(init(v, null, "n", 60_000))
        .step(init(v, null, "n", -1))
        .step(init(v, "t", "p", 60_000))
        .step(init(v, "t", "p", 60_000))
        .step(init(v, "t2", "q", 900_000))
        .step(init(v, "t2", "q", 900_001))
        .step(init(v, "t2", "q", 0))
        .step(init(v, "t2", "q", -1))
        .step(init(v, "!", "q", 60_000))
        .step(describe("t", "t2", "missing", "!"))
        .build();
  }

  private static Script recovery(int v) {
    return Script.named("T46 producers that go on v" + v)
        .step(init(v, "t", "p", 60_000))
        .step(initAgain(v, P))
        .step(initAgain(v, P))
        .step(initAgain(v, P.epoch(-1)))
        .step(initAgain(v, P.epoch(-2)))
        .step(initAgain(v, P.epoch(5)))
        .step(initAgain(v, P.id(4_711)))
        .step(initAgain(v, As.producer("other", "p")))
        .step(initAgain(v, As.producer("t", "p").id(-1)))
        .step(describe("t"))
        .build();
  }

  private static Script partitions(int v) {
    return Script.named("T49 partitions of a transaction v" + v)
        .step(topic("a", 2))
        .step(addPartitions(v, P, "a", 0))
        .step(init(2, "t", "p", 60_000))
        .step(addPartitions(v, P, "a", 0))
        .step(addPartitions(v, P, "a", 0, 1))
        .step(addPartitions(v, P, "a", 1, 9))
        .step(addPartitions(v, P, "missing", 0))
        .step(addPartitions(v, P.epoch(1), "a", 1))
        .step(addPartitions(v, P.epoch(-1), "a", 1))
        .step(addPartitions(v, P.id(4_711), "a", 1))
        .step(addPartitions(v, As.producer("other", "p"), "a", 1))
        .step(addPartitions(v, As.producer("!", "p"), "a", 1))
        .step(describe("t"))
        .step(end(1, P, true))
        .step(describe("t"))
        .build();
  }

  private static Script offsets(int v) {
    return Script.named("offsets of a transaction v" + v)
        .step(addOffsets(v, P, "g"))
        .step(init(2, "t", "p", 60_000))
        .step(addOffsets(v, P, "g"))
        .step(addOffsets(v, P, "!"))
        .step(addOffsets(v, P.epoch(1), "g"))
        .step(addOffsets(v, P.id(4_711), "g"))
        .step(addOffsets(v, As.producer("other", "p"), "g"))
        .step(end(1, P, false))
        .build();
  }

  private static Script offsetCommits(int v) {
    GroupRequests.As stranger = GroupRequests.As.member("g", "!stranger").generation(3);
    return Script.named("T40 offsets committed in a transaction v" + v)
        .step(topic("a", 2))
        .step(init(2, "t", "p", 60_000))
        .step(commitOffsets(v, P, NOBODY, "a", 0, 5))
        .step(addOffsets(2, P, "g"))
        .step(commitOffsets(v, P, NOBODY, "a", 0, 5))
        .step(commitOffsets(v, P, NOBODY, "a", 9, 5))
        .step(commitOffsets(v, P, NOBODY, "missing", 0, 5))
        .step(commitOffsets(v, P, stranger, "a", 1, 6))
        .step(commitOffsets(v, P.epoch(-1), NOBODY, "a", 1, 6))
        .step(GroupRequests.offsets(7, "g", false, "a"))
        .step(GroupRequests.offsets(7, "g", true, "a"))
        .step(end(1, P, true))
        .step(GroupRequests.offsets(7, "g", true, "a"))
        .build();
  }

  private static Script ends(int v, boolean commit) {
    return Script.named("T48 " + (commit ? "commits" : "aborts") + " v" + v)
        .step(topic("a", 1))
        .step(end(v, P, commit))
        .step(init(2, "t", "p", 60_000))
        .step(end(v, P, commit))
        .step(addPartitions(3, P, "a", 0))
        .step(end(v, P.epoch(1), commit))
        .step(end(v, P.id(4_711), commit))
        .step(end(v, As.producer("other", "p"), commit))
        .step(produce(11, P, "a", 0, 0, "x"))
        .step(end(v, P, commit))
        .step(end(v, P, commit))
        .step(end(v, P, !commit))
        .step(describe("t"))
        .step(fetch(11, "a", 0, 0))
        .step(fetchCommitted(11, "a", 0, 0))
        .build();
  }

  private static Script batches(int v) {
    return Script.named("T48 transactional batches v" + v)
        .step(topic("a", 2))
        .step(init(2, "t", "p", 60_000))
        .step(produce(v, P, "a", 0, 0, "x"))
        .step(addPartitions(3, P, "a", 1))
        .step(produce(v, P, "a", 1, 0, "x"))
        .step(produce(v, P, "a", 1, 1, "y"))
        .step(produce(v, P.epoch(-1), "a", 1, 2, "z"))
        .step(produce(v, P.epoch(1), "a", 1, 2, "z"))
        .step(produce(v, P.id(4_711), "a", 1, 2, "z"))
        .step(LogRequests.produce(v, "a", 1, s -> Batch.of("not").by(s.producer("p"), 2)))
        .step(
            LogRequests.produce(
                v, -1, "t", "a", 0, s -> Batch.of("not").by(s.producer("p"), 0).records()))
        .step(produce(v, As.producer("other", "p"), "a", 1, 2, "z"))
        .step(
            LogRequests.produce(
                v, "a", 1, s -> Batch.of("no id").by(s.producer("p"), 2).transactional()))
        .step(describe("t"))
        .step(describeProducers("a", 0, 1, 7))
        .step(end(4, P, true))
        .step(fetch(11, "a", 1, 0))
        .build();
  }

  /// A batch that failed is sent again: later ones must not come before it.
  private static Script overtaking(int v) {
    return Script.named("T47 later batches do not come first v" + v)
        .step(topic("a", 1))
        .step(init(2, "t", "p", 60_000))
        .step(produce(v, P, "a", 0, 3, "x"))
        .step(addPartitions(3, P, "a", 0))
        .step(produce(v, P, "a", 0, 4, "y"))
        .step(produce(v, P, "a", 0, 3, "x"))
        .step(produce(v, P, "a", 0, 4, "y"))
        .step(produce(v, P, "a", 0, 6, "z"))
        .step(end(1, P, true))
        .step(produce(v, P, "a", 0, 5, "z"))
        .step(end(1, P, true))
        .step(addPartitions(3, P, "a", 0))
        .step(produce(v, P, "a", 0, 6, "z"))
        .step(produce(v, P, "a", 0, 4, "y"))
        .step(produce(v, P, "a", 0, 5, "z"))
        .step(end(1, P, false))
        .step(addPartitions(3, P, "a", 0))
        .step(produce(v, P, "a", 0, 5, "z"))
        .step(end(1, P, true))
        .step(describeProducers("a", 0))
        .step(fetch(11, "a", 0, 0))
        .build();
  }

  private static Script othersOffsets(int v) {
    return Script.named("T40 offsets under another transactional id v" + v)
        .step(topic("a", 1))
        .step(init(2, "t", "p", 60_000))
        .step(addOffsets(2, P, "g"))
        .step(commitOffsets(v, As.producer("other", "p"), NOBODY, "a", 0, 4))
        .step(commitOffsets(v, P, NOBODY, "a", 0, 5))
        .step(commitOffsets(v, As.producer("other", "p"), NOBODY, "a", 0, 6))
        .build();
  }

  private static Script endsAfterFences() {
    return Script.named("T48 ends after a fence")
        .step(topic("a", 1))
        .step(init(5, "t", "p", 60_000))
        .step(end(5, P, false))
        .step(produce(12, P, "a", 0, 0, "x"))
        .step(initAgain(5, P.epoch(-1)))
        .step(end(5, P, true))
        .step(end(5, P, false))
        .step(initAgain(5, P))
        .build();
  }

  private static Script compressedAnew() {
    return Script.named("T48 a transactional batch that is compressed anew")
        .step(
            TopicRequests.createTopics(
                4, false, TopicRequests.Wanted.wanted("a", 1).config("compression.type", "gzip")))
        .step(init(2, "t", "p", 60_000))
        .step(addPartitions(3, P, "a", 0))
        .step(produce(9, P, "a", 0, 0, "x"))
        .step(produce(9, P, "a", 0, 1, "y"))
        .step(end(1, P, true))
        .step(fetchCommitted(11, "a", 0, 0))
        .build();
  }

  private static Script listed(int v) {
    return Script.named("T50 transactions listed v" + v)
        .step(init(2, "t", "p", 60_000))
        .step(list(v, "p"))
        .step(list(v, "p", "Empty"))
        .step(list(v, "p", "Ongoing"))
        .step(list(v, "p", "NoSuchState", "Empty"))
        .build();
  }

  private static Script markers(int v) {
    return Script.named("T50 markers written by a client v" + v)
        .step(topic("a", 2))
        .step(init(2, "t", "p", 60_000))
        .step(addPartitions(3, P, "a", 0))
        .step(produce(11, P, "a", 0, 0, "x"))
        .step(writeMarker(v, P.epoch(-1), false, "a", 0))
        .step(writeMarker(v, P, false, "a", 9))
        .step(writeMarker(v, P, false, "missing", 0))
        .step(writeMarker(v, P, false, "a", 0))
        .step(describeProducers("a", 0))
        .step(fetch(11, "a", 0, 0))
        .step(end(1, P, false))
        .build();
  }

  private static Script committedReads() {
    return Script.named("T32 committed reads")
        .step(topic("a", 1))
        .step(init(2, "t", "p", 60_000))
        .step(init(2, "u", "q", 60_000))
        .step(addPartitions(3, P, "a", 0))
        .step(addPartitions(3, As.producer("u", "q"), "a", 0))
        .step(produce(11, P, "a", 0, 0, "p0"))
        .step(produce(11, As.producer("u", "q"), "a", 0, 0, "q0"))
        .step(fetchCommitted(11, "a", 0, 0))
        .step(listOffsets(5, "a", 0, -1, 1, -1))
        .step(listOffsets(5, "a", 0, -1, 0, -1))
        .step(end(1, As.producer("u", "q"), false))
        .step(fetchCommitted(11, "a", 0, 0))
        .step(end(1, P, true))
        .step(fetchCommitted(4, "a", 0, 0))
        .step(fetchCommitted(11, "a", 0, 2))
        .step(fetchCommitted(16, "a", 0, 1))
        .step(listOffsets(5, "a", 0, -1, 1, -1))
        .step(listOffsets(7, "a", 0, -3, 1, -1))
        .build();
  }

  private static Script implicit() {
    return Script.named("T48 partitions added by their batches")
        .step(topic("a", 1))
        .step(init(5, "t", "p", 60_000))
        .step(produce(12, P, "a", 0, 3, "late"))
        .step(end(5, P, false))
        .step(produce(12, P, "a", 0, 0, "x"))
        .step(describe("t"))
        .step(commitOffsets(5, P, NOBODY, "a", 0, 3))
        .step(end(5, P, true))
        .step(produce(12, P, "a", 0, 0, "y"))
        .step(end(5, P, false))
        .step(end(5, P, false))
        .step(end(5, P.epoch(-1), false))
        .step(describe("t"))
        .step(fetchCommitted(11, "a", 0, 0))
        .build();
  }

  private static Script inTheMiddle(int v) {
    return Script.named("T46 a producer that goes on in the middle of its transaction v" + v)
        .step(topic("a", 1))
        .step(init(2, "t", "p", 60_000))
        .step(addPartitions(3, P, "a", 0))
        .step(initAgain(v, P))
        .step(addPartitions(3, P, "a", 0))
        .step(produce(11, P, "a", 0, 0, "x"))
        .step(end(3, P, true))
        .step(fetchCommitted(11, "a", 0, 0))
        .build();
  }

  private static Script fenced() {
    return Script.named("T46 a producer that was fenced")
        .step(topic("a", 1))
        .step(init(2, "t", "old", 60_000))
        .step(addPartitions(3, As.producer("t", "old"), "a", 0))
        .step(produce(11, As.producer("t", "old"), "a", 0, 0, "x"))
        .step(init(2, "t", "new", 60_000))
        .step(produce(11, As.producer("t", "old"), "a", 0, 1, "y"))
        .step(addPartitions(3, As.producer("t", "old"), "a", 0))
        .step(addPartitions(0, As.producer("t", "old"), "a", 0))
        .step(end(1, As.producer("t", "old"), true))
        .step(end(3, As.producer("t", "old"), true))
        .step(addOffsets(3, As.producer("t", "old"), "g"))
        .step(initAgain(4, As.producer("t", "old")))
        .step(addPartitions(3, As.producer("t", "new"), "a", 0))
        .step(produce(11, As.producer("t", "new"), "a", 0, 0, "z"))
        .step(end(3, As.producer("t", "new"), true))
        .step(fetchCommitted(11, "a", 0, 0))
        .build();
  }
}
