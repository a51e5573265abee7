package io.takhin.protocol.kafka.produce;

import io.takhin.protocol.kafka.wire.FrameReader;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.ProduceRequestData;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Reading a Produce request in place, beside Kafka's own message classes over the same bytes.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class ProduceFrameBenchmark {
  private static final short VERSION = 9;

  @Param({"1", "16"})
  public int partitions;

  private final FrameReader reader = new FrameReader();
  private final ProduceFrame frame = new ProduceFrame();
  private ByteBuffer bytes = ByteBuffer.allocate(0);

  @Setup
  public void build() {
    TopicProduceData topic = new TopicProduceData().setName("orders");
    for (int p = 0; p < partitions; p++) {
      topic
          .partitionData()
          .add(
              new PartitionProduceData()
                  .setIndex(p)
                  .setRecords(MemoryRecords.readableRecords(ByteBuffer.allocate(1024))));
    }
    ProduceRequestData request = new ProduceRequestData().setAcks((short) -1).setTimeoutMs(1000);
    request.topicData().add(topic);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    bytes = ByteBuffer.allocateDirect(request.size(cache, VERSION));
    request.write(new ByteBufferAccessor(bytes), cache, VERSION);
    bytes.flip();
  }

  @Benchmark
  public int inPlace() {
    frame.read(reader.reset(bytes, 0, bytes.limit()), VERSION);
    return frame.partitionCount;
  }

  @Benchmark
  public Object messageClasses() {
    return new ProduceRequestData(new ByteBufferAccessor(bytes.duplicate()), VERSION);
  }
}
