package io.takhin.storage.local;

import io.takhin.api.codec.Codecs;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.RecordBatchBuilder;
import io.takhin.api.storage.AppendResult;
import io.takhin.api.storage.LogAppend;
import io.takhin.api.storage.LogConfig;
import io.takhin.testkit.storage.LogConfigBuilder;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
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

/// What is done to each produced batch but for writing it: the checksum, the walk over its records,
/// and all checks together. 62 KiB either way.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class BatchBenchmark {
  private static final int HEADER_BYTES = 61;
  private static final int CHECKED_FROM = 21;

  @Param({"62x1024", "600x100", "1x100"})
  public String shape = "";

  private ByteBuffer batch = ByteBuffer.allocate(0);
  private int count;
  private long baseTimestamp;
  private final CRC32C crc = new CRC32C();
  private final LogConfig config = LogConfigBuilder.defaults();
  private final BatchValidator validator =
      new BatchValidator(
          () -> {
            throw new IllegalStateException("uncompressed batches need no codec: " + Codecs.class);
          });

  @Setup
  public void build() {
    int x = shape.indexOf('x');
    count = Integer.parseInt(shape.substring(0, x));
    byte[] value = new byte[Integer.parseInt(shape.substring(x + 1))];
    Random random = new Random(1);
    RecordBatchBuilder builder = new RecordBatchBuilder();
    for (int i = 0; i < count; i++) {
      random.nextBytes(value);
      builder.add(System.currentTimeMillis(), null, value);
    }
    ByteBuffer built = builder.build();
    batch = ByteBuffer.allocateDirect(built.remaining()).put(built).flip();
    baseTimestamp = RecordBatch.baseTimestamp(batch, 0);
  }

  @Benchmark
  public long checksum() {
    crc.reset();
    crc.update(batch.position(CHECKED_FROM));
    batch.position(0);
    return crc.getValue();
  }

  @Benchmark
  public Object walk() {
    RecordWalk walk = new RecordWalk(batch, HEADER_BYTES, batch.limit());
    String wrong = walk.run(count, baseTimestamp);
    if (wrong != null) {
      throw new IllegalStateException(wrong);
    }
    return walk;
  }

  @Benchmark
  public Object validate() {
    LogAppend append = validator.prepare(new Append(batch), config, System.currentTimeMillis());
    if (append == null) {
      throw new IllegalStateException("rejected");
    }
    return append;
  }

  private static final class Append extends LogAppend {
    Append(ByteBuffer records) {
      super(records, 0, Origin.CLIENT);
    }

    @Override
    public void appended(AppendResult result) {
      throw new IllegalStateException(String.valueOf(result));
    }
  }
}
