package io.takhin.protocol.kafka.offsets;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.Names;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.api.Test;

class ListOffsetsFrameTest {
  private static final short VERSION = 7;

  private static ListOffsetsFrame checked(List<ListOffsetsTopic> topics) {
    ListOffsetsRequestData request = new ListOffsetsRequestData().setTopics(topics);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer bytes = ByteBuffer.allocate(request.size(cache, VERSION));
    request.write(new ByteBufferAccessor(bytes), cache, VERSION);
    return ListOffsetsFrame.check(new FrameReader(bytes.flip()), VERSION, new Names());
  }

  private static ListOffsetsTopic topic(String name, int... partitions) {
    List<ListOffsetsPartition> all = new ArrayList<>();
    for (int partition : partitions) {
      all.add(new ListOffsetsPartition().setPartitionIndex(partition));
    }
    return new ListOffsetsTopic().setName(name).setPartitions(all);
  }

  @Test
  void findsWhatIsNamedTwice() {
    ListOffsetsFrame frame = checked(List.of(topic("a", 0, 1), topic("b", 1), topic("a", 1, 2)));
    assertTrue(frame.duplicate("a", 1));
    assertFalse(frame.duplicate("a", 0));
    assertFalse(frame.duplicate("b", 1));
  }

  @Test
  void b14NamesThatFallOnEachOtherAreReadQuickly() {
    List<ListOffsetsTopic> topics = new ArrayList<>();
    for (int i = 0; i < 1 << 15; i++) {
      StringBuilder name = new StringBuilder();
      for (int bit = 0; bit < 15; bit++) {
        name.append((i >> bit & 1) == 0 ? "Aa" : "BB");
      }
      topics.add(topic(name.toString(), 0));
    }
    ListOffsetsFrame frame =
        assertTimeoutPreemptively(Duration.ofSeconds(10), () -> checked(topics));
    assertFalse(frame.duplicate("gone", 0));
  }
}
