package io.takhin.protocol.kafka.fetch;

import io.takhin.protocol.kafka.wire.FrameReader;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
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

/// Reading a Fetch request in place, beside Kafka's own message classes over the same bytes.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class FetchFrameBenchmark {
  private static final short VERSION = 12;

  @Param({"1", "16", "1000"})
  public int partitions;

  private final FrameReader reader = new FrameReader();
  private final FetchFrame frame = new FetchFrame();
  private ByteBuffer bytes = ByteBuffer.allocate(0);

  @Setup
  public void build() {
    FetchTopic topic = new FetchTopic().setTopic("orders");
    for (int p = 0; p < partitions; p++) {
      topic
          .partitions()
          .add(new FetchPartition().setPartition(p).setFetchOffset(p).setPartitionMaxBytes(1024));
    }
    FetchRequestData request = new FetchRequestData().setMaxWaitMs(500).setMinBytes(1);
    request.topics().add(topic);
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
    return new FetchRequestData(new ByteBufferAccessor(bytes.duplicate()), VERSION);
  }
}
