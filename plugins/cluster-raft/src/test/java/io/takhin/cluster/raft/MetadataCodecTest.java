package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.Broker;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.Endpoint;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.PartitionState;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import io.takhin.cluster.raft.MetadataCodec.Append;
import io.takhin.cluster.raft.MetadataCodec.Malformed;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class MetadataCodecTest {
  static final UUID ID = new UUID(0x0123456789abcdefL, 0x8edcba9876543210L);

  static final List<MetadataRecord> ALL =
      List.of(
          new ClusterCreated("MkU3OEVBNTcwNTJENDM2Qg"),
          new BrokerRegistered(
              new Broker(
                  7,
                  List.of(
                      new Endpoint("PLAINTEXT", "localhost", 9092),
                      new Endpoint("SSL", "broker.example", 65535)),
                  "rack-1")),
          new BrokerRegistered(new Broker(Integer.MAX_VALUE, List.of(), null)),
          new TopicCreated(ID, "zürich.topic_1"),
          new TopicDeleted(ID),
          new PartitionChanged(
              ID, 3, new PartitionState(List.of(1, 2, 3), List.of(1), -1, 300, 70_000)),
          new ConfigChanged(
              new ConfigResource(ConfigResource.Type.TOPIC, "t"), "retention.ms", "-1"),
          new ConfigChanged(new ConfigResource(ConfigResource.Type.BROKER, ""), "k", null),
          new ConfigChanged(new ConfigResource(ConfigResource.Type.CLIENT_METRICS, "m"), "k", ""),
          new ProducerIdsAllocated(-1, Long.MAX_VALUE),
          new FeatureFinalized("metadata.version", Short.MAX_VALUE));

  @Test
  void everyKindOfRecordComesBackAsItWas() {
    Append append = new Append(1L << 40, ALL);

    assertEquals(append, MetadataCodec.decodeAppend(MetadataCodec.encode(append)));
  }

  @Test
  void everyKindOfRecordIsInTheTest() {
    assertEquals(
        MetadataRecord.class.getPermittedSubclasses().length,
        ALL.stream().map(Object::getClass).distinct().count());
  }

  @Test
  void theBytesOfAPartitionStayAsTheyAre() {
    Append append =
        new Append(
            2,
            List.of(
                new PartitionChanged(ID, 1, new PartitionState(List.of(1), List.of(1), 1, 0, 0))));
    ByteBuffer bytes = MetadataCodec.encode(append);
    StringBuilder hex = new StringBuilder();
    while (bytes.hasRemaining()) {
      hex.append("%02x".formatted(bytes.get()));
    }

    // version, offset 2, one record of 25 bytes: kind, id, partition 1, [1], [1], leader 1, 0, 0
    assertEquals(
        "010402" + "32" + "05" + "0123456789abcdef8edcba9876543210" + "0202020202020000",
        hex.toString());
  }

  @Test
  void aRecordOfANewerVersionIsRefusedByName() {
    ByteBuffer version = MetadataCodec.encode(new Append(0, ALL));
    version.put(0, (byte) 2);
    Malformed newer = assertThrows(Malformed.class, () -> MetadataCodec.decodeAppend(version));
    assertTrue(TestClusters.message(newer).contains("version 2"), TestClusters.message(newer));

    MetadataCodec.Sink sink = new MetadataCodec.Sink(16);
    sink.raw(1).number(0).number(1).bytes(ByteBuffer.wrap(new byte[] {99, 1, 2, 3}));
    Malformed kind = assertThrows(Malformed.class, () -> MetadataCodec.decodeAppend(sink.flip()));
    assertTrue(TestClusters.message(kind).contains("kind 99"), TestClusters.message(kind));
  }

  @Test
  void aCountBeyondTheBytesIsRefusedBeforeAnythingIsAllocated() {
    MetadataCodec.Sink records = new MetadataCodec.Sink(16);
    records.raw(1).number(0).number(Integer.MAX_VALUE);
    assertThrows(Malformed.class, () -> MetadataCodec.decodeAppend(records.flip()));

    MetadataCodec.Sink replicas = new MetadataCodec.Sink(64);
    replicas.raw(5).id(ID).number(0).number(1 << 30);
    MetadataCodec.Sink append = new MetadataCodec.Sink(64);
    append.raw(1).number(0).number(1).bytes(replicas.flip());
    assertThrows(Malformed.class, () -> MetadataCodec.decodeAppend(append.flip()));
  }

  @Test
  void everyCutOfAnAppendIsMalformedAndNothingElse() {
    ByteBuffer whole = MetadataCodec.encode(new Append(77, ALL));
    byte[] bytes = new byte[whole.remaining()];
    whole.get(bytes);
    for (int length = 0; length < bytes.length; length++) {
      ByteBuffer cut = ByteBuffer.wrap(bytes, 0, length);
      assertThrows(Malformed.class, () -> MetadataCodec.decodeAppend(cut), "length " + length);
    }
  }

  @Test
  void damagedBytesAreEitherReadOrMalformed() {
    ByteBuffer whole = MetadataCodec.encode(new Append(77, ALL));
    byte[] bytes = new byte[whole.remaining()];
    whole.get(bytes);
    Random random = new Random(42);
    int malformed = 0;
    for (int i = 0; i < 50_000; i++) {
      byte[] damaged = bytes.clone();
      for (int j = 0; j <= random.nextInt(3); j++) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
      }
      try {
        MetadataCodec.decodeAppend(ByteBuffer.wrap(damaged));
      } catch (Malformed e) {
        malformed++;
      }
    }
    assertTrue(malformed > 1000, "only " + malformed + " of the damaged were seen as such");
  }
}
