package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import io.takhin.api.cluster.MetadataRecord.TopicDeleted;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A write of Ratis' that finds no room ends the metadata log, and with it the broker: a change is
/// refused before. The risk is known from reading Ratis; what a real full disk does was not seen,
/// for a change fits into what the open segment has allocated ahead.
class MetadataRoomTest {
  private static final List<MetadataRecord> CREATE =
      List.of(new TopicCreated(UUID.randomUUID(), "orders"));
  private static final List<MetadataRecord> DELETE = List.of(new TopicDeleted(UUID.randomUUID()));

  @TempDir Path dir;
  private long free = 1L << 30;

  /// A disk on which the reserve takes what it has.
  private MetadataRoom room() {
    Path reserve = dir.resolve("reserve");
    return new MetadataRoom(
        dir, () -> free - (Files.exists(reserve) ? MetadataRoom.RESERVE_BYTES : 0));
  }

  private static String refused(MetadataRoom room, List<MetadataRecord> records) {
    TakhinException e = assertThrows(TakhinException.class, () -> room.check(records));
    assertEquals(ErrorCode.KAFKA_STORAGE_ERROR, e.code());
    return TestClusters.message(e);
  }

  @Test
  void aFullDiskTakesDeletionsAloneAndHeals() throws Exception {
    MetadataRoom room = room();
    room.check(CREATE);
    assertEquals(MetadataRoom.RESERVE_BYTES, Files.size(dir.resolve("reserve")));
    free = MetadataRoom.RESERVE_BYTES + 5; // all that is left
    assertTrue(refused(room, CREATE).contains("5 bytes are free in " + dir));
    assertTrue(Files.exists(dir.resolve("reserve")));
    room.check(DELETE);
    assertFalse(Files.exists(dir.resolve("reserve")));
    free = 0; // somebody else took it
    refused(room, DELETE);
    free = MetadataRoom.PLENTY_BYTES;
    room.check(CREATE);
    assertTrue(Files.exists(dir.resolve("reserve")));
  }

  @Test
  void aReserveOfAnEarlierRunIsUsed() throws Exception {
    Files.write(dir.resolve("reserve"), new byte[MetadataRoom.RESERVE_BYTES]);
    free = MetadataRoom.RESERVE_BYTES;
    room().check(DELETE);
    assertFalse(Files.exists(dir.resolve("reserve")));
  }
}
