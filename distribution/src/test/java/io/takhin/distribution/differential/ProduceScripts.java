package io.takhin.distribution.differential;

import static io.takhin.distribution.differential.LogRequests.describeProducers;
import static io.takhin.distribution.differential.LogRequests.fetch;
import static io.takhin.distribution.differential.LogRequests.listOffsets;
import static io.takhin.distribution.differential.LogRequests.produce;
import static io.takhin.distribution.differential.Requests.ask;
import static io.takhin.distribution.differential.Requests.versions;
import static io.takhin.distribution.differential.TopicRequests.createTopics;
import static io.takhin.distribution.differential.TopicRequests.topic;
import static io.takhin.distribution.differential.TransactionRequests.init;

import io.takhin.distribution.differential.TopicRequests.Wanted;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;

/// Produce: acknowledgements, batches that are wrong in one place, sequences, timestamps.
final class ProduceScripts {
  private ProduceScripts() {}

  static List<Script> all() {
    List<Script> all = new ArrayList<>();
    for (int v : versions(ApiKeys.PRODUCE)) {
      all.add(plain(v));
      all.add(wrong(v));
      all.add(sequences(v));
    }
    for (CompressionType type : CompressionType.values()) {
      all.add(compressed(type));
    }
    headers(all);
    all.add(withoutEpoch());
    all.add(timestamps("CreateTime"));
    all.add(timestamps("LogAppendTime"));
    all.add(several());
    all.add(sizes());
    all.add(keys());
    all.add(oldFormats());
    return all;
  }

  private static Script plain(int v) {
    return Script.named("produce v" + v)
        .step(topic("a", 2))
        .step(produce(v, "a", 0, "x", "y"))
        .step(produce(v, 1, null, "a", 0, _ -> Batch.of("z").records()))
        .step(produce(v, 0, null, "a", 0, _ -> Batch.of("0").records()))
        .step(fetch(4, "a", 0, 0))
        .step(produce(v, "a", 2, "x"))
        .step(produce(v, "a", -1, "x"))
        .step(produce(v, "missing", 0, "x"))
        .step(produce(v, 2, null, "a", 0, _ -> Batch.of("x").records()))
        .step(produce(v, -2, null, "a", 0, _ -> Batch.of("x").records()))
        .step(produce(v, 0, null, "a", 7, _ -> Batch.of("x").records()))
        .step(listOffsets(5, "a", 0, -1))
        .build();
  }

  private static Script wrong(int v) {
    return Script.named("T23 wrong batches v" + v)
        .step(topic("a", 1))
        .step(produce(v, "a", 0, _ -> Batch.of("x").wrongCrc()))
        .step(produce(v, "a", 0, _ -> Batch.of("x").cut(1)))
        .step(produce(v, "a", 0, _ -> Batch.of("x").cut(60)))
        .step(produce(v, -1, null, "a", 0, _ -> MemoryRecords.EMPTY))
        .step(
            produce(
                v,
                -1,
                null,
                "a",
                0,
                _ -> Batch.together(Batch.of("one"), Batch.of("two", "three"))))
        .step(produce(v, "a", 0, _ -> Batch.of("x").edit(b -> b.put(16, (byte) 3))))
        .step(produce(v, "a", 0, _ -> Batch.of("x").edit(b -> b.put(16, (byte) -1))))
        .step(produce(v, 0, null, "a", 0, _ -> Batch.of("x").wrongCrc().records()))
        .step(produce(v, "a", 0, "good"))
        .step(fetch(4, "a", 0, 0))
        .build();
  }

  /// Headers that say what is not so, with a right checksum.
  private static void headers(List<Script> all) {
    edited(all, "T23 a base offset of 5", b -> b.putLong(0, 5));
    edited(all, "T23 a leader epoch of 7", b -> b.putInt(12, 7));
    edited(all, "T23 a count of one less", b -> b.putInt(57, 1));
    edited(all, "T23 a count of one more", b -> b.putInt(57, 3));
    edited(all, "T23 a count of none", b -> b.putInt(57, 0));
    edited(all, "T23 a negative count", b -> b.putInt(57, -1));
    edited(all, "T23 a last offset delta of none", b -> b.putInt(23, 0));
    edited(all, "T23 a last offset delta beyond the count", b -> b.putInt(23, 5));
    edited(all, "T23 a negative last offset delta", b -> b.putInt(23, -1));
    edited(all, "T23 a control batch", b -> b.putShort(21, (short) 0x20));
    edited(all, "T23 a transactional batch of nobody", b -> b.putShort(21, (short) 0x10));
    edited(all, "T23 a batch with log append time", b -> b.putShort(21, (short) 0x08));
    edited(all, "T23 an unknown compression", b -> b.putShort(21, (short) 0x07));
    edited(all, "T23 compression without compressed bytes", b -> b.putShort(21, (short) 0x01));
    edited(all, "T23 attributes that nobody knows", b -> b.putShort(21, (short) 0x100));
    edited(all, "T23 a delete horizon", b -> b.putShort(21, (short) 0x40));
    edited(all, "T23 a maximum timestamp that is too small", b -> b.putLong(35, 5));
    edited(all, "T23 a maximum timestamp of none", b -> b.putLong(35, -1));
    edited(all, "T23 a base timestamp of none", b -> b.putLong(27, -1));
    edited(all, "T23 a producer without an epoch", b -> b.putLong(43, 5));
    edited(all, "T23 an epoch without a producer", b -> b.putShort(51, (short) 5));
    edited(all, "T23 a sequence without a producer", b -> b.putInt(53, 5));
    edited(all, "T23 a producer id below none", b -> b.putLong(43, -2));
    edited(all, "T23 a length that is too small", b -> b.putInt(8, 10));
    edited(all, "T23 a length that is too large", b -> b.putInt(8, b.getInt(8) + 4));
    edited(all, "T23 a negative length", b -> b.putInt(8, -1));
    edited(all, "T23 a record of a wrong length", b -> b.put(61, (byte) (b.get(61) + 2)));
    edited(all, "T23 a record with a wrong offset", b -> b.put(64, (byte) (b.get(64) + 2)));
  }

  private static void edited(List<Script> all, String name, Consumer<ByteBuffer> edit) {
    all.add(
        Script.named(name)
            .step(topic("a", 1))
            .step(produce(9, "a", 0, _ -> Batch.of("x", "y").edit(edit)))
            .step(listOffsets(5, "a", 0, -1))
            .step(produce(3, "a", 0, "next"))
            .step(listOffsets(5, "a", 0, -1))
            .build());
  }

  private static Script sequences(int v) {
    return Script.named("T47 sequences v" + v)
        .step(topic("a", 1))
        .step(init(4, null, "p", 60_000))
        .step(produce(v, "a", 0, s -> Batch.of("a", "b").by(s.producer("p"), 0)))
        .step(produce(v, "a", 0, s -> Batch.of("a", "b").by(s.producer("p"), 0)))
        .step(produce(v, "a", 0, s -> Batch.of("c").by(s.producer("p"), 3)))
        .step(produce(v, "a", 0, s -> Batch.of("c").by(s.producer("p"), 2)))
        .step(produce(v, "a", 0, s -> Batch.of("c").by(s.producer("p"), 1)))
        .step(produce(v, "a", 0, s -> Batch.of("d", "e").by(s.producer("p"), 2)))
        .step(produce(v, "a", 0, s -> Batch.of("d").by(epoch(s, 1), 3)))
        .step(produce(v, "a", 0, s -> Batch.of("d").by(epoch(s, 1), 0)))
        .step(produce(v, "a", 0, s -> Batch.of("e").by(s.producer("p"), 1)))
        .step(produce(v, "a", 0, s -> Batch.of("e").by(s.producer("unknown"), 4)))
        .step(produce(v, "a", 0, s -> Batch.of("e").by(s.producer("p"), -1)))
        .step(describeProducers("a", 0))
        .step(fetch(4, "a", 0, 0))
        .build();
  }

  private static State.Producer epoch(State s, int change) {
    State.Producer known = s.producer("p");
    return new State.Producer(known.id(), (short) (known.epoch() + change));
  }

  /// A header that no client writes.
  private static Script withoutEpoch() {
    return Script.named("T47 a producer without an epoch")
        .step(topic("a", 2))
        .step(init(4, null, "p", 60_000))
        .step(produce(9, "a", 0, s -> Batch.of("a").by(epoch(s, -1), 7)))
        .step(produce(9, "a", 0, s -> Batch.of("a").by(epoch(s, -1), 7)))
        .step(produce(9, "a", 0, s -> Batch.of("b").by(epoch(s, -1), 3)))
        .step(produce(9, "a", 0, s -> Batch.of("c").by(epoch(s, -1), -1)))
        .step(produce(9, "a", 0, s -> Batch.of("c").by(epoch(s, -2), 0)))
        .step(describeProducers("a", 0))
        .step(produce(9, "a", 0, s -> Batch.of("c").by(s.producer("p"), 5)))
        .step(produce(9, "a", 0, s -> Batch.of("d").by(epoch(s, -1), 6)))
        .step(produce(9, "a", 1, s -> Batch.of("a").by(epoch(s, -2), 0)))
        .step(describeProducers("a", 0, 1))
        .step(fetch(4, "a", 0, 0))
        .build();
  }

  private static Script compressed(CompressionType type) {
    return Script.named("compressed with " + type.name)
        .step(topic("a", 1))
        .step(createTopics(4, false, Wanted.wanted("b", 1).config("compression.type", "gzip")))
        .step(
            createTopics(
                4, false, Wanted.wanted("c", 1).config("compression.type", "uncompressed")))
        .step(produce(7, "a", 0, _ -> Batch.of("x".repeat(100), "y").compressed(type)))
        .step(produce(3, "a", 0, _ -> Batch.of("x".repeat(100), "y").compressed(type)))
        .step(produce(7, "c", 0, _ -> Batch.of("x".repeat(100), "y").compressed(type)))
        .step(
            produce(9, "b", 0, _ -> Batch.of("x", "y").compressed(type).edit(b -> b.putInt(57, 3))))
        .step(
            produce(
                9,
                "b",
                0,
                _ -> Batch.of("x", "y").compressed(type).edit(b -> b.put(63, (byte) -1))))
        .step(fetch(10, "a", 0, 0))
        .step(fetch(10, "c", 0, 0))
        .step(fetch(4, "a", 0, 0))
        .step(listOffsets(7, "a", 0, -3))
        .build();
  }

  private static Script timestamps(String type) {
    return Script.named("T24 timestamps with " + type)
        .step(createTopics(4, false, Wanted.wanted("a", 1).config("message.timestamp.type", type)))
        .step(
            createTopics(
                7, false, Wanted.wanted("b", 1).config("message.timestamp.before.max.ms", "1000")))
        .step(produce(9, "a", 0, _ -> new Batch().record(-1, null, "none")))
        .step(produce(9, "a", 0, _ -> new Batch().record(0, null, "epoch")))
        .step(produce(9, "a", 0, _ -> new Batch().record(Batch.TIME, null, "past")))
        .step(
            produce(
                9,
                "a",
                0,
                _ ->
                    new Batch()
                        .record(System.currentTimeMillis() + 7_200_000, null, "future")
                        .record(Batch.TIME, null, "past")))
        .step(produce(9, "a", 0, _ -> new Batch().record(System.currentTimeMillis(), null, "now")))
        .step(
            produce(
                9,
                "b",
                0,
                _ ->
                    new Batch()
                        .record(System.currentTimeMillis(), null, "now")
                        .record(5, null, "old")))
        .step(produce(7, "b", 0, _ -> new Batch().record(5, null, "old")))
        .step(fetch(4, "a", 0, 0))
        .step(listOffsets(7, "a", 0, Batch.TIME))
        .step(listOffsets(7, "a", 0, 0))
        .build();
  }

  private static Script several() {
    return Script.named("several topics and partitions, one of them twice")
        .step(topic("a", 2))
        .step(topic("b", 1))
        .step(
            ask(
                ApiKeys.PRODUCE,
                9,
                s -> {
                  ProduceRequestData request =
                      new ProduceRequestData().setAcks((short) -1).setTimeoutMs(5_000);
                  for (String name : List.of("a", "b", "missing")) {
                    request
                        .topicData()
                        .add(
                            new ProduceRequestData.TopicProduceData()
                                .setName(s.name(name))
                                .setPartitionData(
                                    List.of(
                                        new ProduceRequestData.PartitionProduceData()
                                            .setIndex(0)
                                            .setRecords(Batch.of("x").records()),
                                        new ProduceRequestData.PartitionProduceData()
                                            .setIndex(1)
                                            .setRecords(Batch.of("y").wrongCrc().records()))));
                  }
                  return request;
                }))
        .step(ask(ApiKeys.PRODUCE, 9, _ -> new ProduceRequestData().setAcks((short) 1)))
        .step(listOffsets(5, "a", 0, -1))
        .step(listOffsets(5, "b", 0, -1))
        .build();
  }

  private static Script sizes() {
    return Script.named("T65 batches that are too large")
        .step(createTopics(4, false, Wanted.wanted("a", 1).config("max.message.bytes", "200")))
        .step(produce(9, "a", 0, "x"))
        .step(produce(9, "a", 0, "x".repeat(300)))
        .step(produce(3, "a", 0, "x".repeat(300)))
        .step(produce(9, "a", 0, _ -> Batch.of("x".repeat(300)).compressed(CompressionType.GZIP)))
        .step(topic("b", 1))
        .step(produce(9, "b", 0, "x".repeat(1_100_000)))
        .step(produce(9, "b", 0, "x".repeat(1_000_000)))
        .step(listOffsets(5, "a", 0, -1))
        .build();
  }

  private static Script keys() {
    return Script.named("T25 records without keys in a compacted topic")
        .step(createTopics(4, false, Wanted.wanted("a", 1).config("cleanup.policy", "compact")))
        .step(produce(9, "a", 0, "no key"))
        .step(produce(7, "a", 0, "no key"))
        .step(
            produce(
                9,
                "a",
                0,
                _ ->
                    new Batch()
                        .record(Batch.TIME, "k", "v")
                        .record(Batch.TIME, null, "w")
                        .record(Batch.TIME, null, "x")))
        .step(produce(9, "a", 0, _ -> new Batch().record(Batch.TIME, "k", "v")))
        .step(fetch(4, "a", 0, 0))
        .build();
  }

  private static Script oldFormats() {
    return Script.named("T22 message formats 0 and 1")
        .step(topic("a", 1))
        .step(produce(3, "a", 0, _ -> Batch.of("x").magic(0)))
        .step(produce(3, "a", 0, _ -> Batch.of("x").magic(1)))
        .step(produce(9, "a", 0, _ -> Batch.of("x").magic(1)))
        .step(
            produce(
                9, -1, null, "a", 0, _ -> Batch.together(Batch.of("x"), Batch.of("y").magic(1))))
        .step(listOffsets(5, "a", 0, -1))
        .build();
  }
}
