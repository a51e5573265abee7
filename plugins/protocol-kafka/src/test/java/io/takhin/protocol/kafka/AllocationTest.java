package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.message.HeartbeatRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.ApiMessage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What the loops allocate for each request of a hot API. The bounds are about twice what was
/// measured, so that an object for each request more shows.
@Timeout(60)
class AllocationTest {
  private static final int REQUESTS = 20_000;
  private static final int BATCH = 100;

  // By reflection: the module under test does not read java.management.
  private static long allocatedBy(Thread thread) {
    try {
      Object bean =
          Class.forName("java.lang.management.ManagementFactory")
              .getMethod("getThreadMXBean")
              .invoke(null);
      Method count =
          Class.forName("com.sun.management.ThreadMXBean")
              .getMethod("getThreadAllocatedBytes", long.class);
      return Math.max(0, (long) count.invoke(bean, thread.threadId()));
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static long allocated() {
    long sum = 0;
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().contains("loop")) {
        sum += allocatedBy(thread);
      }
    }
    return sum;
  }

  private static long perRequest(TestBroker broker, int version, ApiMessage request) {
    byte[] frame = RawClient.frame(version, 1, request);
    ByteBuffer many = ByteBuffer.allocate(frame.length * BATCH);
    for (int i = 0; i < BATCH; i++) {
      many.put(frame);
    }
    long before = 0;
    try (RawClient client = broker.client()) {
      for (int sent = 0; sent < 2 * REQUESTS; sent += BATCH) {
        if (sent == REQUESTS) {
          before = allocated();
        }
        client.send(many.array());
        for (int i = 0; i < BATCH; i++) {
          client.receive();
        }
      }
      return (allocated() - before) / REQUESTS;
    }
  }

  @Test
  void hotRequestsAllocateLittle() {
    try (TestBroker broker = new TestBroker()) {
      broker.cluster.createTopic("orders", 10);
      broker.groups.quiet = true;
      check(broker, 300, 4, new HeartbeatRequestData().setGroupId("group").setMemberId("member"));
      check(
          broker,
          1000,
          9,
          new OffsetCommitRequestData()
              .setGroupId("group")
              .setMemberId("member")
              .setTopics(
                  List.of(
                      new OffsetCommitRequestTopic()
                          .setName("orders")
                          .setPartitions(
                              List.of(new OffsetCommitRequestPartition().setCommittedOffset(5))))));
      check(
          broker,
          1000,
          9,
          new ListOffsetsRequestData()
              .setReplicaId(-1)
              .setTopics(
                  List.of(
                      new ListOffsetsTopic()
                          .setName("orders")
                          .setPartitions(List.of(new ListOffsetsPartition().setTimestamp(-1))))));
      check(broker, 1000, 12, new MetadataRequestData().setTopics(null));
    }
  }

  private static void check(TestBroker broker, int bound, int version, ApiMessage request) {
    long bytes = perRequest(broker, version, request);
    String what = request.getClass().getSimpleName() + " " + bytes;
    assertTrue(bytes <= bound, what + " bytes; at most " + bound);
  }
}
