package io.takhin.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What the kernel accounts to a process.
record ProcessStats(long pid) {
  /// Below it lies the heap of a JVM that compresses its references, and nothing else of size.
  private static final long COMPRESSED_REFERENCES_END = 32L << 30;

  /// `sysconf(_SC_CLK_TCK)`, 100 on every Linux that Java runs on.
  private static final double TICKS_PER_SECOND = 100;

  private static final MethodHandle CLOCK_GETTIME = clockGettime();

  /// The JDK allows native calls to those who ask for them: the script's command line does.
  @SuppressWarnings("restricted")
  private static MethodHandle clockGettime() {
    return Linker.nativeLinker()
        .downcallHandle(
            Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"),
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));
  }

  /// User and system time of all threads, living and ended, in seconds, to the nanosecond: the
  /// process' CPU clock. `/proc/PID/stat` counts in hundredths, too coarse for an idle broker.
  double cpuSeconds() {
    int cpuClockOfProcess = ((int) ~pid << 3) | 2;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment time = arena.allocate(16, 8);
      int failed = (int) CLOCK_GETTIME.invokeExact(cpuClockOfProcess, time);
      if (failed != 0) {
        throw new IllegalStateException("no CPU clock: the broker with pid " + pid + " is gone");
      }
      return time.get(ValueLayout.JAVA_LONG, 0) + time.get(ValueLayout.JAVA_LONG, 8) / 1e9;
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /// Processor time of everything on the machine but this process and its children that have ended,
  /// in seconds: what else went on. The kernel's own threads count, such as those that write back.
  static double othersSeconds() {
    String[] all = lines("/proc/stat").getFirst().split(" +", -1);
    String stat = lines("/proc/self/stat").getFirst();
    String[] own = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    long busy = 0;
    for (int field : new int[] {1, 2, 3, 6, 7}) {
      busy += Long.parseLong(all[field]);
    }
    for (int field = 11; field <= 14; field++) {
      busy -= Long.parseLong(own[field]);
    }
    return busy / TICKS_PER_SECOND;
  }

  private static List<String> lines(String file) {
    try {
      return Files.readAllLines(Path.of(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Resident memory now, in MiB, as the page tables have it: `smaps_rollup` walks them, while
  /// VmRSS of `status` may be hundreds of pages behind on each processor.
  double rssMib() {
    for (String line : read("smaps_rollup").lines().toList()) {
      if (line.startsWith("Rss:")) {
        return kib(line) / 1024.0;
      }
    }
    throw new IllegalStateException("/proc/" + pid + "/smaps_rollup has no Rss");
  }

  /// Resident memory that is not the JVM's heap, in MiB. The heap's pages stay resident when
  /// objects are gone; what is alive in it is asked of the JVM.
  double rssBesideHeapMib() {
    double sum = 0;
    boolean counts = false;
    for (String line : read("smaps").lines().toList()) {
      int dash = line.indexOf('-');
      if (dash > 0 && dash <= 16 && Character.digit(line.charAt(0), 16) >= 0) {
        counts =
            Long.compareUnsigned(
                    Long.parseUnsignedLong(line.substring(0, dash), 16), COMPRESSED_REFERENCES_END)
                >= 0;
      } else if (counts && line.startsWith("Rss:")) {
        sum += kib(line) / 1024.0;
      }
    }
    return sum;
  }

  private static long kib(String line) {
    return Long.parseLong(line.replaceAll("[^0-9]", ""));
  }

  private String read(String file) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/" + file));
    } catch (IOException e) {
      throw new UncheckedIOException("the broker with pid " + pid + " is gone", e);
    }
  }
}
