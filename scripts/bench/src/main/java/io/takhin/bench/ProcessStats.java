package io.takhin.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// What the kernel accounts to a process: `/proc/PID`.
record ProcessStats(long pid) {
  /// `sysconf(_SC_CLK_TCK)`, 100 on every Linux that Java runs on.
  private static final double TICKS_PER_SECOND = 100;

  /// User and system time of all threads, living and ended, in seconds.
  double cpuSeconds() {
    String stat = read("stat");
    String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
    return (Long.parseLong(fields[11]) + Long.parseLong(fields[12])) / TICKS_PER_SECOND;
  }

  /// Resident memory now, in MiB.
  double rssMib() {
    return statusKib("VmRSS") / 1024.0;
  }

  private long statusKib(String field) {
    for (String line : List.of(read("status").split("\n", -1))) {
      if (line.startsWith(field + ":")) {
        return Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    throw new IllegalStateException("/proc/" + pid + "/status has no " + field);
  }

  private String read(String file) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/" + file));
    } catch (IOException e) {
      throw new UncheckedIOException("the broker with pid " + pid + " is gone", e);
    }
  }
}
