package io.takhin.distribution;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

/// A disk and a clock that misbehave under one broker: `src/test/native/faults.c`, compiled once.
final class Faults {
  /// errno of a disk without room.
  static final int ENOSPC = 28;

  /// errno of a disk that fails.
  static final int EIO = 5;

  /// errno of a process that may have no more threads.
  static final int EAGAIN = 11;

  /// errno of a process with too many files.
  static final int EMFILE = 24;

  /// In place of an errno: the process is killed before the call.
  static final int KILLED = -1;

  /// In place of an errno: the process is killed when it has written half; before any other call.
  static final int KILLED_HALFWAY = -2;

  private static final class Compiled {
    static final Path LIBRARY = compile();
  }

  private final Path control;
  private final Path clock;
  private final Path journal;
  private final Path trace;
  private final Path data;
  private int generation;

  /// Faults for the next start of a broker.
  ///
  /// @param powerCuts whether each write is noted, so that [#cutPower] can undo it; slower
  Faults(Broker broker, boolean powerCuts) {
    data = broker.dataDirectory();
    String name = data.getFileName().toString();
    control = data.resolveSibling(name + ".faults");
    clock = data.resolveSibling(name + ".clock");
    journal = data.resolveSibling(name + ".journal");
    trace = data.resolveSibling(name + ".trace");
    put(control, new byte[4096]);
    put(clock, new byte[8]);
    broker
        .with("LD_PRELOAD", Compiled.LIBRARY.toString())
        .with("FAULTS_CONTROL", control.toString())
        .with("FAULTS_CLOCK", clock.toString())
        .with("FAULTS_DIRECTORY", data + "/")
        .with("FAULTS_JOURNAL", powerCuts ? journal.toString() : "");
  }

  /// Has the next starts note what they change on the disk, for [#changes].
  void traced(Broker broker) {
    broker.with("FAULTS_TRACE", trace.toString());
  }

  /// The changes to the disk so far, in their order: the operation and the path.
  List<String> changes() throws IOException {
    return Files.readAllLines(trace).stream().filter(line -> !line.startsWith("open ")).toList();
  }

  private static Path compile() {
    assertTrue(
        Command.installed("gcc"),
        "the tests of faults need a C compiler: apt-get install gcc libc6-dev, or run"
            + " scripts/test.sh, which does that");
    Path source = Distribution.repository().resolve("distribution/src/test/native/faults.c");
    Path library = Distribution.home().resolveSibling("faults.so");
    Command.run(
            "gcc",
            "-O2",
            "-Wall",
            "-shared",
            "-fPIC",
            "-o",
            library.toString(),
            source.toString(),
            "-ldl",
            "-lpthread")
        .succeeded();
    return library;
  }

  /// Lets operations fail from now on: see [#rule].
  void set(String... rules) {
    byte[] page = new byte[4096];
    byte[] text =
        (++generation + "\n" + String.join("\n", rules) + "\n").getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, page, 0, text.length);
    put(control, page);
  }

  /// Everything works again.
  void heal() {
    put(control, new byte[4096]);
  }

  /// One rule.
  ///
  /// @param operation write, sync, open, create, rename, delete, mkdir, thread, or any change
  /// @param errno what it fails with; 0 if it is only slow
  /// @param delayMs how long it takes
  /// @param skip how many calls are spared
  /// @param times how many are hit then; -1 for all
  /// @param path a part of the path
  static String rule(String operation, int errno, int delayMs, int skip, int times, String path) {
    return String.join(
        " ",
        operation,
        Integer.toString(errno),
        Integer.toString(delayMs),
        Integer.toString(skip),
        Integer.toString(times),
        path);
  }

  /// Moves the broker's wall clock, relative to the true one.
  void clock(long offsetMs) {
    put(clock, ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(offsetMs).array());
  }

  private static void put(Path file, byte[] content) {
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(content); // in place: the process has it mapped
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private record Write(long offset, byte[] old, long size) {}

  /// After a kill: undoes writes that no fsync followed, as a power cut may do, and makes the
  /// next start believe that the machine was started again.
  ///
  /// @param kept the share of unsynced writes that had reached the disk anyway, in any order
  /// @return how many were undone
  int cutPower(Random random, double kept) throws IOException {
    Map<Long, List<Write>> unsynced = new HashMap<>();
    Map<Long, List<Long>> numbers = new HashMap<>();
    long number = 0;
    byte[] noted = Files.exists(journal) ? Files.readAllBytes(journal) : new byte[0];
    ByteBuffer all = ByteBuffer.wrap(noted).order(ByteOrder.LITTLE_ENDIAN);
    while (all.remaining() >= 24) {
      long kind = all.getLong();
      long inode = all.getLong();
      if (kind == 2) {
        long before = all.getLong();
        List<Long> of = numbers.getOrDefault(inode, List.of());
        int done = 0;
        while (done < of.size() && of.get(done) < before) {
          done++;
        }
        if (done > 0) {
          of.subList(0, done).clear();
          unsynced.get(inode).subList(0, done).clear();
        }
      } else {
        long offset = all.getLong();
        byte[] old = new byte[(int) all.getLong()];
        long size = all.getLong();
        all.get(old);
        unsynced.computeIfAbsent(inode, key -> new ArrayList<>()).add(new Write(offset, old, size));
        numbers.computeIfAbsent(inode, key -> new ArrayList<>()).add(number++);
      }
    }
    int undone = 0;
    try (Stream<Path> files = Files.walk(data)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        long inode = ((Number) Files.getAttribute(file, "unix:ino")).longValue();
        undone += undo(file, unsynced.getOrDefault(inode, List.of()), random, kept);
      }
    }
    Files.deleteIfExists(journal);
    Files.writeString(data.resolve(".takhin-boot"), "before the power cut");
    return undone;
  }

  private static int undo(Path file, List<Write> writes, Random random, double kept)
      throws IOException {
    int undone = 0;
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      boolean shorter = true; // until a later write was kept, which holds the size
      for (Write write : writes.reversed()) {
        if (random.nextDouble() < kept) {
          shorter = false;
          continue;
        }
        long end = out.length();
        if (end > write.size()) {
          long from = Math.max(write.size(), write.offset());
          if (shorter) {
            out.setLength(write.size());
          } else if (from < end) {
            out.seek(from);
            out.write(new byte[(int) Math.min(end - from, 1 << 12)]); // never reached the disk
          }
        }
        out.seek(write.offset());
        out.write(write.old());
        undone++;
      }
    }
    return undone;
  }
}
