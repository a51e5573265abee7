package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.cluster.ConfigResource;
import io.takhin.api.cluster.MetadataImage;
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
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotFileTest {
  @TempDir Path dir;

  private static MetadataImage image() {
    List<MetadataRecord> records = new ArrayList<>();
    records.add(new ClusterCreated("abcdefghijklmnopqrstuv"));
    records.add(
        new BrokerRegistered(new Broker(1, List.of(new Endpoint("PLAINTEXT", "h", 1)), null)));
    records.add(new FeatureFinalized("group.version", (short) 1));
    records.add(new ProducerIdsAllocated(1, 3000));
    UUID gone = UUID.randomUUID();
    records.add(new TopicCreated(gone, "gone"));
    for (int i = 0; i < 50; i++) {
      UUID id = UUID.randomUUID();
      records.add(new TopicCreated(id, "topic-" + i));
      for (int p = 0; p < 4; p++) {
        records.add(
            new PartitionChanged(id, p, new PartitionState(List.of(1), List.of(1), 1, p, p + 1)));
      }
      records.add(
          new ConfigChanged(
              new ConfigResource(ConfigResource.Type.TOPIC, "topic-" + i), "retention.ms", "1"));
    }
    records.add(new TopicDeleted(gone));
    return MetadataImage.EMPTY.apply(records);
  }

  @Test
  void anImageComesBackAsItWas() throws IOException {
    Path file = dir.resolve("snapshot.1_5");
    MetadataImage image = image();

    SnapshotFile.write(file, image);

    assertEquals(image, SnapshotFile.read(file));
    assertFalse(Files.exists(dir.resolve("snapshot.1_5.tmp")));
  }

  @Test
  void anEmptyImageComesBackAsItWas() throws IOException {
    Path file = dir.resolve("snapshot.1_5");
    SnapshotFile.write(file, MetadataImage.EMPTY);
    assertEquals(MetadataImage.EMPTY, SnapshotFile.read(file));
  }

  @Test
  void anyChangedByteIsNoticedAndTheFileNamed() throws IOException {
    Path file = dir.resolve("snapshot.1_5");
    SnapshotFile.write(file, image());
    byte[] good = Files.readAllBytes(file);
    for (int i = 0; i < good.length; i += 97) {
      byte[] bad = good.clone();
      bad[i] ^= 0x10;
      Files.write(file, bad);
      IOException e = assertThrows(IOException.class, () -> SnapshotFile.read(file));
      assertTrue(TestClusters.message(e).contains(file.toString()), TestClusters.message(e));
    }
  }

  @Test
  void aCutFileIsNoticed() throws IOException {
    Path file = dir.resolve("snapshot.1_5");
    SnapshotFile.write(file, image());
    byte[] good = Files.readAllBytes(file);
    for (int length : List.of(0, 5, 20, good.length / 2, good.length - 1)) {
      Files.write(file, java.util.Arrays.copyOf(good, length));
      assertThrows(IOException.class, () -> SnapshotFile.read(file), "length " + length);
    }
  }
}
