package io.takhin.cluster.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TakhinException;
import io.takhin.testkit.TestContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// R3 and R5 of Ratis' own files: what is damaged is named before Ratis is started. Over a closed
/// segment that was emptied it waited for its whole start timeout, and named nothing.
class RatisLogFilesTest {
  @TempDir static Path saved;

  @TempDir Path dir;
  private final TestContext context = TestClusters.context();
  private Path current = Path.of("");
  private Path closed = Path.of("");
  private Path open = Path.of("");

  /// As a kill leaves it: a closed segment, and an open one with room ahead.
  @BeforeAll
  static void fill() throws IOException {
    try (TestContext context = TestClusters.context()) {
      RaftClusterConfig config = TestClusters.config(saved.resolve("first"));
      RaftCluster first = TestClusters.started(config, context);
      TestClusters.create(first, "early", 2);
      first.close();
      try (RaftCluster second = TestClusters.started(config, context)) {
        TestClusters.create(second, "late", 2);
        copy(saved.resolve("first"), saved.resolve("killed"));
      }
    }
  }

  @BeforeEach
  void restore() throws IOException {
    Path data = dir.resolve("killed");
    copy(saved.resolve("killed"), data);
    current = new RaftStorageDirectory(data, 1).current();
    closed = file("log_0-");
    open = file("log_inprogress_");
  }

  @AfterEach
  void closeContext() {
    context.close();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path path : all.toList()) {
        Path target = to.resolve(from.relativize(path).toString());
        if (Files.isDirectory(path)) {
          Files.createDirectories(target);
        } else if (!path.endsWith("in_use.lock")) {
          Files.copy(path, target);
        }
      }
    }
  }

  private Path file(String prefix) throws IOException {
    try (Stream<Path> all = Files.list(current)) {
      return all.filter(each -> each.getFileName().toString().startsWith(prefix))
          .findFirst()
          .orElseThrow();
    }
  }

  private void named(Path file) {
    String damaged = RatisLogFiles.damaged(current);
    assertTrue(damaged != null && damaged.startsWith(file + " is damaged"), () -> "" + damaged);
  }

  @Test
  void r3EachBitOfTheSegmentsIsSeen() throws IOException {
    assertNull(RatisLogFiles.damaged(current));
    for (Path segment : List.of(closed, open)) {
      byte[] bytes = Files.readAllBytes(segment);
      int end = bytes.length;
      while (bytes[end - 1] == 0) {
        end--;
      }
      for (int bit = 0; bit < 8 * end; bit++) {
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
        Files.write(segment, bytes);
        named(segment);
        bytes[bit / 8] ^= (byte) (1 << (bit % 8));
      }
      Files.write(segment, bytes);
    }
    assertNull(RatisLogFiles.damaged(current));
  }

  @Test
  void r5ADamagedSegmentThatWasClosedIsSeen() throws IOException {
    byte[] bytes = Files.readAllBytes(closed);
    List<byte[]> kinds =
        List.of(
            new byte[0],
            new byte[bytes.length],
            Arrays.copyOf(bytes, bytes.length / 2),
            Arrays.copyOf(bytes, 8),
            "somebody's text\n".getBytes(StandardCharsets.US_ASCII));
    for (byte[] kind : kinds) {
      Files.write(closed, kind);
      named(closed);
    }
    Files.write(closed, Arrays.copyOf(bytes, bytes.length + 4096)); // zeros are room ahead
    assertNull(RatisLogFiles.damaged(current));
  }

  /// It may be made and not written yet.
  @Test
  void anOpenSegmentWithoutItsHeaderIsNotDamaged() throws IOException {
    for (int length : new int[] {0, 4, 8}) {
      Files.write(open, Arrays.copyOf(Files.readAllBytes(open), length));
      assertNull(RatisLogFiles.damaged(current));
    }
    Files.write(open, new byte[4096]);
    assertNull(RatisLogFiles.damaged(current));
  }

  @Test
  void foreignFilesAreLeftAlone() throws IOException {
    Files.writeString(current.resolve("log_0-18.tmp"), "somebody's");
    Files.writeString(current.resolve("log_somebody's"), "somebody's");
    assertNull(RatisLogFiles.damaged(current));
  }

  @Test
  void aStartOverDamageIsRefusedByNameAtOnce() throws IOException {
    Files.write(closed, new byte[0]);
    refused(closed);
    assertEquals(0, Files.size(closed));
  }

  @Test
  void aStartOverADamagedTermIsRefusedByName() throws IOException {
    Path meta = current.resolve("raft-meta");
    Files.writeString(meta, Files.readString(meta).replace("term=", "term;"));
    refused(meta);
  }

  private void refused(Path file) {
    TakhinException e =
        assertThrows(
            TakhinException.class,
            () -> TestClusters.started(TestClusters.config(dir.resolve("killed")), context));
    String message = TestClusters.message(e);
    assertTrue(message.contains(file + " is damaged"), message);
    assertTrue(message.contains("from a backup"), message);
  }
}
