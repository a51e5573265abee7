package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.LogRequests.deleteRecords;
import static io.takhin.distribution.differential.LogRequests.epochEnd;
import static io.takhin.distribution.differential.LogRequests.fetch;
import static io.takhin.distribution.differential.LogRequests.fetchCommitted;
import static io.takhin.distribution.differential.LogRequests.listOffsets;
import static io.takhin.distribution.differential.LogRequests.produce;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.createTopics;
import static io.takhin.distribution.differential.TopicRequests.delete;
import static io.takhin.distribution.differential.TopicRequests.topic;

import io.takhin.distribution.differential.LogRequests.From;
import io.takhin.distribution.differential.LogRequests.Terms;
import io.takhin.distribution.differential.TopicRequests.Wanted;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;

/// Fetch, ListOffsets, DeleteRecords and OffsetForLeaderEpoch.
final class FetchScripts {
  private FetchScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.FETCH)) {
      all.add(offsets(v));
      all.add(epochs(v));
      all.add(sizes(v));
      if (v >= 7) {
        all.add(sessions(v));
      }
    }
    for (int v : versions(ApiKeys.FETCH, n -> n == 4 || n == 12 || n == 18)) {
      all.add(nothingLeft(v));
    }
    for (int v : versions(ApiKeys.LIST_OFFSETS)) {
      all.add(lookups(v));
    }
    for (int v : versions(ApiKeys.DELETE_RECORDS)) {
      all.add(deletions(v));
    }
    for (int v : versions(ApiKeys.OFFSET_FOR_LEADER_EPOCH)) {
      all.add(epochEnds(v));
    }
    all.add(recreated());
    all.add(latestDeleted());
    return all;
  }

  private static Script offsets(int v) {
    return Script.named("fetch v" + v)
        .step(topic("a", 2))
        .step(produce(9, "a", 0, "x", "y"))
        .step(produce(9, "a", 0, "z"))
        .step(fetch(v, "a", 0, 0))
        .step(fetch(v, "a", 0, 1))
        .step(fetch(v, "a", 0, 2))
        .step(fetch(v, "a", 0, 3))
        .step(fetch(v, "a", 0, 4))
        .step(fetch(v, "a", 0, -1))
        .step(fetch(v, "a", 0, Long.MAX_VALUE))
        .step(fetch(v, "a", 1, 0))
        .step(fetch(v, "a", 9, 0))
        .step(fetch(v, "a", -1, 0))
        .step(fetch(v, "missing", 0, 0))
        .step(fetchCommitted(v, "a", 0, 0))
        .step(fetch(v, new Terms(2, 1, 1 << 20, -1, false), 0, List.of(From.offset("a", 0, 0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of()))
        .step(
            fetch(
                v,
                Terms.PLAIN,
                0,
                List.of(
                    From.offset("a", 0, 0),
                    From.offset("a", 1, 0),
                    From.offset("missing", 0, 0),
                    From.offset("a", 0, 2))))
        .build();
  }

  private static Script epochs(int v) {
    From at = From.offset("a", 0, 0);
    return Script.named("T29 fetch with epochs v" + v)
        .step(topic("a", 1))
        .step(produce(9, "a", 0, "x"))
        .step(fetch(v, Terms.PLAIN, 0, List.of(at.epoch(0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(at.epoch(1))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(at.epoch(-2))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(at.epoch(0).lastEpoch(0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("a", 0, 1).lastEpoch(0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("a", 0, 9).lastEpoch(0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(at.lastEpoch(5))))
        .build();
  }

  private static Script sizes(int v) {
    return Script.named("T26 fetch by size v" + v)
        .step(topic("a", 2))
        .step(produce(9, "a", 0, "x".repeat(100)))
        .step(produce(9, "a", 0, "y".repeat(100)))
        .step(produce(9, "a", 1, "z".repeat(100)))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("a", 0, 0).maxBytes(1))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("a", 0, 0).maxBytes(0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("a", 0, 0).maxBytes(-1))))
        .step(
            fetch(
                v,
                Terms.PLAIN.bytes(1, 1),
                0,
                List.of(From.offset("a", 0, 0), From.offset("a", 1, 0))))
        .step(
            fetch(
                v,
                Terms.PLAIN.bytes(1, 250),
                0,
                List.of(From.offset("a", 0, 0), From.offset("a", 1, 0))))
        .step(fetch(v, Terms.PLAIN.bytes(1, 0), 0, List.of(From.offset("a", 0, 0))))
        .step(fetch(v, Terms.PLAIN.bytes(0, 1000), 0, List.of(From.offset("a", 0, 2))))
        .step(fetch(v, Terms.PLAIN.bytes(100_000, 1000), 0, List.of(From.offset("a", 0, 2))))
        .step(fetch(v, Terms.PLAIN.bytes(100_000, 1 << 20), 0, List.of(From.offset("a", 0, 0))))
        .build();
  }

  private static Script nothingLeft(int v) {
    return Script.named("T26 errors when no bytes are left v" + v)
        .step(topic("a", 2))
        .step(topic("b", 2))
        .step(topic("c", 2))
        .step(produce(9, "a", 0, "x", "y"))
        .step(produce(9, "b", 0, "x", "y"))
        .step(deleteRecords(2, "b", 0, 1))
        .step(
            fetch(
                v,
                Terms.PLAIN.bytes(1, 1),
                0,
                List.of(
                    From.offset("a", 0, 0),
                    From.offset("a", 1, 7),
                    From.offset("b", 0, 0),
                    From.offset("b", 1, 0).epoch(4),
                    From.offset("c", 0, 0).lastEpoch(3),
                    From.offset("c", 1, 0),
                    From.offset("missing", 0, 0))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("b", 0, 0).lastEpoch(3))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("b", 0, 1).lastEpoch(3))))
        .step(fetch(v, Terms.PLAIN, 0, List.of(From.offset("b", 0, 0).lastEpoch(0))))
        .build();
  }

  private static Script sessions(int v) {
    From a = From.offset("a", 0, 0);
    From b = From.offset("b", 0, 0);
    return Script.named("T27 fetch sessions v" + v)
        .step(topic("a", 1))
        .step(topic("b", 1))
        .step(produce(9, "a", 0, "x"))
        .step(fetch(v, Terms.PLAIN.session(0), 0, List.of(a, b)))
        .step(fetch(v, Terms.PLAIN.session(1), 0, List.of()))
        .step(fetch(v, Terms.PLAIN.session(2), 0, List.of(From.offset("a", 0, 1))))
        .step(produce(9, "b", 0, "y"))
        .step(fetch(v, Terms.PLAIN.session(3), 0, List.of()))
        .step(fetch(v, Terms.PLAIN.session(4), 0, List.of(), "a"))
        .step(fetch(v, Terms.PLAIN.session(5), 0, List.of(From.offset("b", 0, 7))))
        .step(fetch(v, Terms.PLAIN.session(6), 0, List.of(From.offset("a", 3, 0))))
        .step(fetch(v, Terms.PLAIN.session(9), 0, List.of()))
        .step(fetch(v, Terms.PLAIN.session(7), 0, List.of()))
        .step(fetch(v, Terms.PLAIN.session(0), 0, List.of(a)))
        .step(fetch(v, Terms.PLAIN.session(-1), 0, List.of(a)))
        .step(fetch(v, Terms.PLAIN.session(1), 0, List.of()))
        .step(fetch(v, Terms.PLAIN.session(5), 1, List.of()))
        .step(fetch(v, Terms.PLAIN.session(0), 1, List.of(From.offset("missing", 0, 0))))
        .step(fetch(v, Terms.PLAIN.session(1), 1, List.of()))
        .build();
  }

  private static Script lookups(int v) {
    Script.Builder script =
        Script.named("T33 offsets v" + v)
            .step(topic("a", 2))
            .step(produce(9, "a", 0, "x", "y"))
            .step(produce(9, "a", 0, _ -> new Batch().record(Batch.TIME + 100, null, "z")))
            .step(produce(9, "a", 0, _ -> new Batch().record(Batch.TIME + 50, null, "back")));
    for (long time :
        new long[] {
          -1,
          -2,
          -3,
          -4,
          -5,
          -6,
          -7,
          -100,
          0,
          Batch.TIME,
          Batch.TIME + 1,
          Batch.TIME + 60,
          Batch.TIME + 101,
          Long.MAX_VALUE,
          Long.MIN_VALUE
        }) {
      script.step(listOffsets(v, "a", 0, time));
    }
    return script
        .step(listOffsets(v, "a", 1, -1))
        .step(listOffsets(v, "a", 1, -3))
        .step(listOffsets(v, "a", 1, 5))
        .step(listOffsets(v, "a", 0, -1, 1, -1))
        .step(listOffsets(v, "a", 0, -1, 0, 0))
        .step(listOffsets(v, "a", 0, -1, 0, 3))
        .step(listOffsets(v, "a", 5, -1))
        .step(listOffsets(v, "missing", 0, -1))
        .step(listOffsets(v, "!bad name", 0, -1))
        .build();
  }

  private static Script deletions(int v) {
    return Script.named("T16 deleted records v" + v)
        .step(topic("a", 1))
        .step(createTopics(4, false, Wanted.wanted("c", 1).config("cleanup.policy", "compact")))
        .step(produce(9, "a", 0, "x", "y"))
        .step(produce(9, "a", 0, "z"))
        .step(deleteRecords(v, "a", 0, 1))
        .step(fetch(11, "a", 0, 0))
        .step(fetch(11, "a", 0, 1))
        .step(listOffsets(5, "a", 0, -2))
        .step(deleteRecords(v, "a", 0, 0))
        .step(deleteRecords(v, "a", 0, 9))
        .step(deleteRecords(v, "a", 0, -2))
        .step(deleteRecords(v, "a", 0, -1))
        .step(fetch(11, "a", 0, 3))
        .step(listOffsets(5, "a", 0, -2))
        .step(deleteRecords(v, "a", 4, 0))
        .step(deleteRecords(v, "missing", 0, 0))
        .step(deleteRecords(v, "c", 0, 0))
        .build();
  }

  private static Script epochEnds(int v) {
    return Script.named("T29 ends of epochs v" + v)
        .step(topic("a", 1))
        .step(epochEnd(v, "a", 0, -1, 0))
        .step(produce(9, "a", 0, "x", "y"))
        .step(epochEnd(v, "a", 0, -1, 0))
        .step(epochEnd(v, "a", 0, 0, 0))
        .step(epochEnd(v, "a", 0, 1, 0))
        .step(epochEnd(v, "a", 0, -1, 1))
        .step(epochEnd(v, "a", 0, -1, 9))
        .step(epochEnd(v, "a", 0, -1, -1))
        .step(epochEnd(v, "a", 3, -1, 0))
        .step(epochEnd(v, "missing", 0, -1, 0))
        .build();
  }

  private static Script latestDeleted() {
    return Script.named("T33 the latest time of deleted records")
        .step(topic("a", 2))
        .step(produce(9, "a", 0, _ -> new Batch().record(Batch.TIME + 100, null, "latest")))
        .step(produce(9, "a", 0, "x"))
        .step(listOffsets(7, "a", 0, -3))
        .step(deleteRecords(2, "a", 0, 1))
        .step(listOffsets(7, "a", 0, -3))
        .step(deleteRecords(2, "a", 0, -1))
        .step(listOffsets(7, "a", 0, -3))
        .build();
  }

  private static Script recreated() {
    return Script.named("T12 a topic that comes again has another id")
        .step(topic("a", 1))
        .step(produce(13, "a", 0, "x"))
        .step(fetch(13, Terms.PLAIN.session(0), 0, List.of(From.offset("a", 0, 0))))
        .step(delete(6, "a"))
        .step(fetch(13, Terms.PLAIN.session(1), 0, List.of()))
        .step(fetch(13, "a", 0, 0))
        .step(produce(13, "a", 0, "x"))
        .step(topic("a", 1))
        .step(fetch(13, Terms.PLAIN.session(2), 0, List.of()))
        .step(fetch(13, "a", 0, 0))
        .step(produce(13, "a", 0, "y"))
        .step(fetch(12, "a", 0, 0))
        .build();
  }
}
