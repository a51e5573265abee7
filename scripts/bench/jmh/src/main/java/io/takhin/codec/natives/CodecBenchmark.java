package io.takhin.codec.natives;

import io.takhin.api.codec.CompressionType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.concurrent.TimeUnit;
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

/// The codecs of records over 64 KiB of JSON.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class CodecBenchmark {
  private static final int BYTES = 64 * 1024;

  @Param({"GZIP", "SNAPPY", "LZ4", "ZSTD"})
  public CompressionType type = CompressionType.NONE;

  private final NativeCodecs codecs = new NativeCodecs();
  private ByteBuffer plain = ByteBuffer.allocate(0);
  private ByteBuffer packed = ByteBuffer.allocate(0);

  @Setup
  public void fill() {
    codecs.start();
    Random random = new Random(1);
    StringBuilder json = new StringBuilder(BYTES + 128);
    while (json.length() < BYTES) {
      json.append("{\"id\":\"")
          .append(Long.toHexString(random.nextLong()))
          .append("\",\"customer\":")
          .append(random.nextInt(1_000_000))
          .append(",\"status\":\"CONFIRMED\",\"total\":")
          .append(random.nextInt(100_000))
          .append("}\n");
    }
    byte[] bytes = json.substring(0, BYTES).getBytes(StandardCharsets.US_ASCII);
    plain = ByteBuffer.allocateDirect(BYTES).put(bytes).flip();
    packed = codecs.compress(type, plain);
  }

  @Benchmark
  public ByteBuffer compress() {
    return codecs.compress(type, plain);
  }

  @Benchmark
  public ByteBuffer decompress() {
    return codecs.decompress(type, packed, BYTES);
  }
}
