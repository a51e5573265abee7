package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.ClusterRequests.TOPIC;

import io.takhin.distribution.differential.LogRequests.From;
import io.takhin.distribution.differential.LogRequests.Terms;
import io.takhin.distribution.differential.TopicRequests.Wanted;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.CompressionType;
import org.jspecify.annotations.Nullable;

/// Scripts of about twenty requests that follow from a seed: sensible ones mostly, in an order that
/// nobody would choose, with a part that is wrong now and then.
///
/// A script keeps to one subject, so that its requests meet each other's effects: logs, groups,
/// transactions, topics and configurations. Nothing in it depends on the time or on who is quicker.
final class RandomScripts {
  private static final int LENGTH = 20;

  private static final TransactionRequests.As P = TransactionRequests.As.producer("t", "p");

  /// Stands for null among choices.
  private static final String NONE = "(none)";

  private final RandomGenerator random;
  private final Script.Builder script;

  /// What the producers of the script may send next, by slot, topic and partition.
  private final Map<String, Integer> sequences = new HashMap<>();

  /// Whether the group may have been deleted: a refused commit makes no other one, as it does in
  /// Kafka (D40).
  private boolean groupDeleted;

  /// How the latest timestamp is asked for, unless records were deleted (D41).
  private long latest = -3;

  /// Whether transactions are those of `transaction.version=2`: partitions join by their batches.
  private boolean second;

  private RandomScripts(long seed) {
    random = RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    script = Script.named("seed " + seed);
  }

  /// The script of a seed.
  static Script script(long seed) {
    return new RandomScripts(seed).make();
  }

  private Script make() {
    script.step(TopicRequests.topic("a", 2));
    int subject = random.nextInt(6);
    second = subject == 4;
    switch (subject) {
      case 0, 1 -> script.step(TopicRequests.createTopics(4, false, configured()));
      case 2 -> script.steps(GroupRequests.joined(5, member("one"), GroupRequests.Terms.CONSUMER));
      case 3, 4 -> script.step(TransactionRequests.init(2, "t", "p", 60_000));
      default -> {}
    }
    for (int i = 0; i < LENGTH; i++) {
      switch (subject) {
        case 0, 1 -> log();
        case 2 -> group();
        case 3, 4 -> transaction();
        default -> administration();
      }
    }
    return script.build();
  }

  private Wanted configured() {
    Wanted topic = Wanted.wanted("b", 1);
    return switch (random.nextInt(5)) {
      case 0 -> topic.config("cleanup.policy", "compact");
      case 1 -> topic.config("max.message.bytes", "300");
      case 2 -> topic.config("message.timestamp.type", "LogAppendTime");
      case 3 -> topic.config("segment.bytes", "1048576");
      default -> topic;
    };
  }

  // ---- choices

  @SafeVarargs
  private <T> T one(T... of) {
    return of[random.nextInt(of.length)];
  }

  /// Mostly the first.
  @SafeVarargs
  private <T> T mostly(T usual, T... others) {
    return random.nextInt(6) > 0 ? usual : others[random.nextInt(others.length)];
  }

  private static @Nullable String orNull(String text) {
    return text.equals(NONE) ? null : text;
  }

  private boolean seldom() {
    return random.nextInt(8) == 0;
  }

  private int version(ApiKeys api) {
    return version(api, Integer.MAX_VALUE);
  }

  private int version(ApiKeys api, int highest) {
    List<Integer> versions = Requests.versions(api, v -> v <= highest);
    return versions.get(random.nextInt(versions.size()));
  }

  private String topic() {
    return mostly(random.nextBoolean() ? "a" : "b", "missing", "a");
  }

  private int partition() {
    return mostly(0, 0, 1, 2, 9, -1);
  }

  private long offset() {
    return mostly((long) random.nextInt(8), -1L, 50L, Long.MAX_VALUE, -2L);
  }

  private int epoch() {
    return mostly(-1, 0, 1, 5);
  }

  // ---- logs

  private void log() {
    switch (random.nextInt(12)) {
      case 0, 1, 2 -> produce();
      case 3, 4, 5 -> fetch();
      case 6 -> session();
      case 7 ->
          script.step(
              LogRequests.listOffsets(
                  version(ApiKeys.LIST_OFFSETS),
                  topic(),
                  partition(),
                  one(-1L, -2L, latest, -4L, -5L, 0L, Batch.TIME, Batch.TIME + 3, Long.MAX_VALUE),
                  random.nextInt(2),
                  epoch()));
      case 8 -> {
        latest = -2;
        script.step(
            LogRequests.deleteRecords(
                version(ApiKeys.DELETE_RECORDS), topic(), partition(), offset()));
      }
      case 9 ->
          script.step(
              LogRequests.epochEnd(
                  version(ApiKeys.OFFSET_FOR_LEADER_EPOCH),
                  topic(),
                  partition(),
                  epoch(),
                  mostly(0, -1, 1, 7)));
      case 10 -> script.step(LogRequests.describeProducers(topic(), partition()));
      default -> idempotent();
    }
  }

  private void produce() {
    int version = version(ApiKeys.PRODUCE);
    boolean wrong = seldom();
    // One thing wrong at a time: which one is told first is nobody's business.
    String topic = wrong ? "a" : topic();
    int acks = wrong ? -1 : mostly(one(-1, 1), 0, 2, -5);
    Batch batch = batch(wrong);
    int partition = wrong ? random.nextInt(2) : partition();
    script.step(LogRequests.produce(version, acks, null, topic, partition, _ -> batch.records()));
  }

  private Batch batch(boolean wrong) {
    Batch batch = new Batch();
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      String key = random.nextInt(3) > 0 ? "k" + random.nextInt(3) : null;
      int length = mostly(1 + random.nextInt(60), 400);
      batch.record(Batch.TIME + random.nextInt(10), key, "v".repeat(length));
    }
    if (random.nextInt(3) == 0) {
      batch.compressed(one(CompressionType.values()));
    }
    if (wrong) {
      int value = one(-1, 0, 1, 2, 7);
      // What Kafka takes and we refuse is left to the fixed scripts.
      switch (random.nextInt(7)) {
        case 0 -> batch.wrongCrc();
        case 1 -> batch.cut(1 + random.nextInt(70));
        case 2 -> batch.edit(b -> b.putInt(57, value));
        case 3 -> batch.edit(b -> b.putInt(23, value));
        case 4 -> batch.edit(b -> b.putLong(0, value));
        case 5 -> batch.edit(b -> b.putInt(12, value));
        default -> batch.edit(b -> b.put(16, (byte) value));
      }
    }
    return batch;
  }

  private void fetch() {
    List<From> from = new ArrayList<>();
    int count = mostly(1, 0, 2, 3);
    for (int i = 0; i < count; i++) {
      String topic = topic();
      int partition = partition();
      // Kafka takes the last of what stands there twice.
      if (from.stream()
          .anyMatch(one -> one.topic().equals(topic) && one.partition() == partition)) {
        continue;
      }
      from.add(
          From.offset(topic, partition, offset())
              .epoch(epoch())
              .lastEpoch(mostly(-1, 0, 3))
              .maxBytes(mostly(1 << 20, 0, 1, 100, 150)));
    }
    from.sort(Comparator.comparing(From::topic));
    Terms terms = random.nextBoolean() ? Terms.PLAIN : Terms.COMMITTED;
    script.step(
        LogRequests.fetch(
            version(ApiKeys.FETCH),
            terms.bytes(mostly(1, 0, 10_000), mostly(1 << 20, 0, 1, 200)),
            0,
            from));
  }

  private void session() {
    int version = Math.max(7, version(ApiKeys.FETCH));
    List<From> from = List.of(From.offset("a", 0, 0), From.offset("a", 1, 0));
    script.step(LogRequests.fetch(version, Terms.PLAIN.session(0), 1, from));
    script.step(LogRequests.fetch(version, Terms.PLAIN.session(1), 1, List.of()));
    int steps = random.nextInt(3);
    for (int epoch = 2; epoch < 2 + steps; epoch++) {
      script.step(
          LogRequests.fetch(
              version,
              Terms.PLAIN.session(mostly(epoch, 1, 9)),
              1,
              seldom() ? List.of() : List.of(From.offset("a", random.nextInt(2), offset()))));
    }
  }

  private void idempotent() {
    String slot = one("i", "j");
    if (sequences.putIfAbsent(slot, 0) == null) {
      script.step(TransactionRequests.init(version(ApiKeys.INIT_PRODUCER_ID), null, slot, 60_000));
    }
    int partition = random.nextInt(2);
    String at = slot + "/" + partition;
    int next = sequences.getOrDefault(at, 0);
    int sequence = mostly(next, next - 1, next + 1, 0, 5, -1);
    int change = mostly(0, 1, -1);
    if (sequence == next && change == 0) {
      sequences.put(at, next + 1);
    }
    script.step(
        LogRequests.produce(
            version(ApiKeys.PRODUCE, 13),
            "a",
            partition,
            s -> {
              State.Producer known = s.producer(slot);
              return Batch.of("v" + sequence)
                  .by(new State.Producer(known.id(), (short) (known.epoch() + change)), sequence);
            }));
  }

  // ---- groups

  private GroupRequests.As member(String slot) {
    return GroupRequests.As.member("g", slot);
  }

  private GroupRequests.As somebody() {
    GroupRequests.As as = mostly(member("one"), member("!stranger"), member(""), member("one"));
    if (seldom()) {
      as = as.generation(one(-1, 0, 1, 2, 9));
    }
    return seldom() ? as.instance("i") : as;
  }

  private void group() {
    switch (random.nextInt(15)) {
      case 14 ->
          script.step(
              GroupRequests.list(
                  version(ApiKeys.LIST_GROUPS),
                  mostly(List.of("Stable"), List.of(), List.of("Empty", "Dead"), List.of("none")),
                  mostly(List.of(), List.of("classic"), List.of("consumer"))));
      case 0, 1 -> join();
      case 2, 3 ->
          script.step(GroupRequests.sync(version(ApiKeys.SYNC_GROUP), member("one"), "one", "x"));
      case 4 -> script.step(GroupRequests.heartbeat(version(ApiKeys.HEARTBEAT), somebody()));
      case 5 ->
          script.step(
              GroupRequests.leave(
                  version(ApiKeys.LEAVE_GROUP), seldom() ? member("one") : somebody()));
      case 6, 7 ->
          script.step(
              GroupRequests.commit(
                  version(ApiKeys.OFFSET_COMMIT),
                  mostly(somebody(), member("").generation(-1)),
                  topic(),
                  partition(),
                  mostly(random.nextLong(9), -1L, -2L),
                  orNull(mostly("m", NONE, "", groupDeleted ? "" : "m".repeat(5_000)))));
      case 8, 9 ->
          script.step(
              random.nextBoolean()
                  ? GroupRequests.offsets(
                      version(ApiKeys.OFFSET_FETCH), mostly("g", "none", "!"), seldom(), topic())
                  : GroupRequests.offsets(
                      version(ApiKeys.OFFSET_FETCH), mostly("g", "none"), seldom()));
      case 10 ->
          script.step(
              GroupRequests.describe(version(ApiKeys.DESCRIBE_GROUPS), mostly("g", "none")));
      case 11 -> {
        groupDeleted = true;
        script.step(GroupRequests.delete(version(ApiKeys.DELETE_GROUPS), mostly("g", "none")));
      }
      case 12 ->
          script.step(GroupRequests.deleteOffsets(mostly("g", "none"), topic(), partition()));
      default ->
          script.step(
              GroupRequests.coordinator(
                  version(ApiKeys.FIND_COORDINATOR), mostly(0, 1), mostly("g", "!")));
    }
  }

  private void join() {
    GroupRequests.Terms terms = GroupRequests.Terms.CONSUMER;
    terms =
        switch (random.nextInt(9)) {
          case 0 -> terms.type("connect");
          case 1 -> terms.supporting("roundrobin");
          case 2 -> terms.supporting("range", "roundrobin");
          case 3 -> terms.session(one(0, 1, 6_000, 1_800_001));
          default -> terms;
        };
    // Another member would make the answer wait for this one.
    script.step(
        GroupRequests.join(
            version(ApiKeys.JOIN_GROUP), mostly(member("one"), member("!stranger")), terms));
  }

  // ---- transactions

  private TransactionRequests.As producer() {
    TransactionRequests.As as = P;
    return switch (random.nextInt(14)) {
      case 0 -> as.epoch(1);
      case 1 -> as.epoch(-1);
      case 2 -> as.id(4_711);
      case 3 -> TransactionRequests.As.producer("other", "p");
      default -> as;
    };
  }

  private void transaction() {
    TransactionRequests.As as = producer();
    GroupRequests.As nobody = member("").generation(-1);
    switch (random.nextInt(17)) {
      case 16 ->
          script.step(
              TransactionRequests.list(
                  version(ApiKeys.LIST_TRANSACTIONS), "p", mostly("Ongoing", "Empty", "None")));
      case 0, 1, 2 ->
          script.step(
              TransactionRequests.addPartitions(
                  version(ApiKeys.ADD_PARTITIONS_TO_TXN, 3), as, topic(), random.nextInt(2)));
      case 3, 4, 5 -> transactionalBatch(as);
      case 6, 7, 8 ->
          script.step(
              TransactionRequests.end(
                  second ? 5 : version(ApiKeys.END_TXN, 4), as, random.nextBoolean()));
      case 9 ->
          script.step(TransactionRequests.addOffsets(version(ApiKeys.ADD_OFFSETS_TO_TXN), as, "g"));
      case 10 ->
          script.step(
              TransactionRequests.commitOffsets(
                  second ? 5 : version(ApiKeys.TXN_OFFSET_COMMIT, 4),
                  as.transactionalId().equals("t") ? as : P, // D42
                  nobody,
                  "a",
                  0,
                  random.nextInt(9)));
      case 11 ->
          script.step(
              seldom()
                  ? TransactionRequests.init(
                      version(ApiKeys.INIT_PRODUCER_ID, 2), "t", "p", mostly(60_000, 0, -1))
                  : TransactionRequests.initAgain(
                      second ? 5 : Math.max(3, version(ApiKeys.INIT_PRODUCER_ID, 4)),
                      mostly(P, P.id(4_711)))); // another epoch would be a fence (D43)
      case 12 -> script.step(TransactionRequests.describe(mostly("t", "other", "!")));
      case 13 ->
          script.step(
              random.nextBoolean()
                  ? LogRequests.fetchCommitted(
                      version(ApiKeys.FETCH), "a", random.nextInt(2), random.nextInt(4))
                  : LogRequests.listOffsets(
                      version(ApiKeys.LIST_OFFSETS), "a", random.nextInt(2), -1, 1, -1));
      case 14 -> script.step(GroupRequests.offsets(version(ApiKeys.OFFSET_FETCH), "g", false, "a"));
      default -> script.step(LogRequests.describeProducers("a", 0, 1));
    }
  }

  private void transactionalBatch(TransactionRequests.As as) {
    script.step(
        TransactionRequests.produce(
            second ? 12 + random.nextInt(2) : version(ApiKeys.PRODUCE, 11),
            as,
            "a",
            random.nextInt(2),
            mostly(random.nextInt(3), 0, 7),
            "v"));
  }

  // ---- administration

  private void administration() {
    switch (random.nextInt(13)) {
      case 12 ->
          script.step(
              switch (random.nextInt(4)) {
                case 0 -> ClusterRequests.describeCluster(version(ApiKeys.DESCRIBE_CLUSTER), 1);
                case 1 -> ClusterRequests.listReassignments(topic(), partition());
                case 2 ->
                    ClusterRequests.updateFeature(
                        Math.max(1, version(ApiKeys.UPDATE_FEATURES)),
                        true,
                        mostly("transaction.version", "no.such.feature"),
                        one(-1, 0, 1, 2, 9),
                        one(1, 2, 3));
                default -> ClusterRequests.quorum(version(ApiKeys.DESCRIBE_QUORUM), topic(), 0);
              });
      case 0 ->
          script.step(
              TopicRequests.createTopics(
                  version(ApiKeys.CREATE_TOPICS, 4),
                  random.nextBoolean(),
                  Wanted.wanted(one("a", "b", "c", "!bad name"), mostly(1, 2, 0, -1, -2))
                      .replicas(mostly(1, -1, 0, 2))));
      case 1 -> script.step(TopicRequests.delete(version(ApiKeys.DELETE_TOPICS), topic()));
      case 2 -> script.step(TopicRequests.deleteById(topic()));
      case 3 ->
          script.step(
              TopicRequests.grow(
                  version(ApiKeys.CREATE_PARTITIONS),
                  random.nextBoolean(),
                  topic(),
                  random.nextInt(6),
                  seldom() ? List.of(List.of(one(1, 5))) : null));
      case 4 ->
          script.step(TopicRequests.metadata(version(ApiKeys.METADATA), false, topic(), topic()));
      case 5 -> {
        String name = one("auto", "a", "!bad name");
        // Kafka tells of a topic that it makes only when asked again.
        script
            .step(TopicRequests.metadata(9, true, name))
            .step(TopicRequests.metadata(9, true, name));
      }
      case 6, 7 ->
          script.step(
              ClusterRequests.incremental(
                  version(ApiKeys.INCREMENTAL_ALTER_CONFIGS),
                  random.nextBoolean(),
                  mostly(TOPIC, 0, 99),
                  topic(),
                  random.nextInt(4),
                  one("retention.ms", "cleanup.policy", "segment.bytes", "no.such.key"),
                  orNull(one("1048576", "compact", "delete", "x", "-1", NONE))));
      case 8 ->
          script.step(
              ClusterRequests.alter(
                  version(ApiKeys.ALTER_CONFIGS),
                  random.nextBoolean(),
                  TOPIC,
                  topic(),
                  orNull(one("retention.ms", "cleanup.policy", NONE)),
                  one("1000", "compact", "x")));
      case 9 ->
          script.step(
              ClusterRequests.describeConfigs(
                  version(ApiKeys.DESCRIBE_CONFIGS),
                  TOPIC,
                  topic(),
                  "retention.ms",
                  "cleanup.policy"));
      case 10 ->
          script.step(
              random.nextBoolean()
                  ? ClusterRequests.electLeaders(
                      version(ApiKeys.ELECT_LEADERS), 0, topic(), partition())
                  : ClusterRequests.reassign(
                      version(ApiKeys.ALTER_PARTITION_REASSIGNMENTS),
                      topic(),
                      partition(),
                      seldom() ? null : one(List.of(1), List.of(), List.of(7))));
      default ->
          script.step(
              random.nextBoolean()
                  ? ClusterRequests.logDirs(
                      version(ApiKeys.DESCRIBE_LOG_DIRS), topic(), partition())
                  : TopicRequests.describePartitions(
                      mostly(2_000, 1, 0, 2), null, 0, topic(), "a"));
    }
  }
}
