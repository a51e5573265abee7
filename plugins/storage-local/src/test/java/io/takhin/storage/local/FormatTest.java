package io.takhin.storage.local;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.storage.PartitionLog.EpochEndOffset;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Each file's bytes, as Kafka has them.
class FormatTest {
  @TempDir Path directory;
  private final Disk disk = new FileDisk();

  @Test
  void indexes() throws IOException {
    Path offsets = directory.resolve("a.index");
    Path times = directory.resolve("a.timeindex");
    SegmentIndex index = new SegmentIndex();
    index.add(5, 300);
    index.addTime(1000, 4);
    index.save(disk, offsets, times);
    index.add(9, 700);
    index.addTime(1001, 8);
    index.save(disk, offsets, times);
    assertEquals(
        "000000050000012c00000009000002bc", HexFormat.of().formatHex(Files.readAllBytes(offsets)));
    assertEquals(
        "00000000000003e80000000400000000000003e900000008",
        HexFormat.of().formatHex(Files.readAllBytes(times)));
    SegmentIndex loaded = SegmentIndex.load(disk, offsets, times, 1000);
    assertNotNull(loaded);
    assertEquals(2, loaded.entries());
    assertEquals(700, loaded.position(loaded.floor(100)));
    assertEquals(-1, loaded.floor(4));
    assertEquals(4, loaded.offsetBefore(1001));
    assertNull(SegmentIndex.load(disk, offsets, times, 500));
  }

  @Test
  void indexesThatKafkaAllocatedAheadEndAtTheirZeros() throws IOException {
    Path offsets = directory.resolve("a.index");
    Path times = directory.resolve("a.timeindex");
    byte[] ahead = new byte[80];
    ahead[3] = 5;
    ahead[7] = 9;
    Files.write(offsets, ahead);
    Files.write(times, new byte[120]);
    SegmentIndex loaded = SegmentIndex.load(disk, offsets, times, 1000);
    assertNotNull(loaded);
    assertEquals(1, loaded.entries());
    assertEquals(0, loaded.timeEntries());
  }

  @Test
  void leaderEpochs() throws IOException {
    Path file = directory.resolve(LogFiles.EPOCHS);
    LeaderEpochs epochs = new LeaderEpochs(disk, file);
    epochs.note(0, 0);
    epochs.note(4, 1523);
    epochs.save();
    assertEquals("0\n2\n0 0\n4 1523", Files.readString(file).stripTrailing());
    LeaderEpochs loaded = new LeaderEpochs(disk, file);
    assertTrue(loaded.load());
    assertEquals(new EpochEndOffset(0, 1523), loaded.end(3, 2000));
    assertEquals(new EpochEndOffset(4, 2000), loaded.end(4, 2000));
  }

  @Test
  void checkpoints() throws IOException {
    Path file = directory.resolve("recovery-point-offset-checkpoint");
    Checkpoint checkpoint = new Checkpoint(disk, file);
    checkpoint.write(new java.util.TreeMap<>(Map.of("with-dash-3", 7L, "b-0", 1L)));
    assertEquals("0\n2\nb 0 1\nwith-dash 3 7", Files.readString(file).stripTrailing());
    assertEquals(Map.of("with-dash-3", 7L, "b-0", 1L), checkpoint.read());
    for (String damaged : new String[] {"", "0\n", "1\n0\n", "0\n2\na 0 1\n", "0\n1\na 0 x\n"}) {
      Files.writeString(file, damaged);
      assertEquals(Map.of(), checkpoint.read());
    }
  }

  @Test
  void partitionMetadata() throws IOException {
    UUID id = UUID.fromString("324e3738-4541-3537-3035-324434333642");
    PartitionMetadata.write(disk, directory, id);
    assertEquals(
        "version: 0\ntopic_id: Mk43OEVBNTcwNTJENDM2Qg\n",
        Files.readString(directory.resolve(LogFiles.METADATA)));
    assertEquals(id, PartitionMetadata.read(disk, directory));
    Files.write(directory.resolve(LogFiles.METADATA), "version: 0\n".getBytes(UTF_8));
    assertNull(PartitionMetadata.read(disk, directory));
  }

  @Test
  void producerSnapshots() throws IOException {
    ProducerStates states = new ProducerStates();
    Producer producer = states.findOrAdd(7);
    producer.epoch((short) 2);
    for (int i = 0; i < 6; i++) {
      producer.add(i * 2 + 1, 1, 100 + i * 2 + 1, 1000 + i);
    }
    byte[] bytes = ProducerSnapshot.write(states);
    assertEquals(
        "0001"
            + HexFormat.of().formatHex(bytes, 2, 6)
            + "00000001000000000000000700020000000b000000000000006f00000001"
            + "00000000000003edffffffffffffffffffffffff544b483504"
            + "0000000300000001000000000000006700000000000003e9"
            + "0000000500000001000000000000006900000000000003ea"
            + "0000000700000001000000000000006b00000000000003eb"
            + "0000000900000001000000000000006d00000000000003ec",
        HexFormat.of().formatHex(bytes));
    ProducerStates read = new ProducerStates();
    ProducerSnapshot.read(bytes, read);
    assertArrayEquals(bytes, ProducerSnapshot.write(read));
    for (int i = 2; i < bytes.length; i++) {
      byte[] damaged = bytes.clone();
      damaged[i] ^= 1;
      assertThrows(IOException.class, () -> ProducerSnapshot.read(damaged, read));
    }
  }
}
