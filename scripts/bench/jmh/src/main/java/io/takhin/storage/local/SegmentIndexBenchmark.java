package io.takhin.storage.local;

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

/// Looking offsets and positions up in a segment's index, wherever they are in it.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class SegmentIndexBenchmark {
  private static final int STEP = 4095;

  /// 1,024 entries are a segment of 4 MiB, 262,144 one of 1 GiB.
  @Param({"1024", "262144"})
  public int entries;

  private final SegmentIndex index = new SegmentIndex();
  private int at;

  @Setup
  public void fill() {
    for (int i = 0; i < entries; i++) {
      index.add(i * 4 + 3, i * STEP);
    }
  }

  @Benchmark
  public int byOffset() {
    at += 0x9e3779b9;
    return index.floor((at >>> 1) % (entries * 4));
  }

  @Benchmark
  public int byPosition() {
    at += 0x9e3779b9;
    return index.floorPosition((at >>> 1) % (entries * STEP));
  }
}
