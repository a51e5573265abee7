package io.takhin.broker.partition;

import io.takhin.api.partition.Partition;
import io.takhin.api.partition.PartitionWatcher;
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

/// Fetches that wait in a partition: coming, going, and being told of an append.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
@SuppressWarnings("NullAway") // Watchers pass the partition on and do not look at it.
public class WatchersBenchmark {
  @Param({"0", "8", "1000"})
  public int waiting;

  private final Watchers watchers = new Watchers();
  private final Counting comes = new Counting();

  private static final class Counting implements PartitionWatcher {
    private long bytes;

    @Override
    public void advanced(Partition partition, long more) {
      bytes += more;
    }

    @Override
    public void changed(Partition partition) {
      bytes = 0;
    }
  }

  @Setup
  public void park() {
    for (int i = 0; i < waiting; i++) {
      watchers.add(new Counting());
    }
  }

  @Benchmark
  public void waitAndGo() {
    watchers.add(comes);
    watchers.remove(comes);
  }

  @Benchmark
  public void append() {
    watchers.advanced(null, 100);
  }

  @Benchmark
  public long waitAppendAndGo() {
    watchers.add(comes);
    watchers.advanced(null, 100);
    watchers.remove(comes);
    return comes.bytes;
  }
}
