package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.storage.LogSlice;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Slices that lie in files: sent from there, the same bytes in the same order as gathered
/// ones, and closed once.
@Timeout(30)
class SendfileTest {
  private static final int PARTITIONS = 8;

  @TempDir private Path directory;

  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger readAhead = new AtomicInteger();
  private boolean cold;

  /// A slice of the file.
  private final class FileSlice implements LogSlice {
    private final FileChannel file;
    private final long position;
    private final int size;
    private boolean closed;

    FileSlice(FileChannel file, long position, int size) {
      this.file = file;
      this.position = position;
      this.size = size;
      open.incrementAndGet();
    }

    @Override
    public long endOffset() {
      return 10;
    }

    @Override
    public int sizeBytes() {
      return size;
    }

    @Override
    public FileChannel file() {
      return file;
    }

    @Override
    public long filePosition() {
      return position;
    }

    @Override
    public boolean inMemory() {
      return !cold;
    }

    @Override
    public void copyTo(int from, ByteBuffer target) {
      if (!Thread.currentThread().getName().contains("loop")) {
        readAhead.incrementAndGet();
      }
      try {
        file.read(target, position + from);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      if (!closed) {
        closed = true;
        open.decrementAndGet();
      }
    }
  }

  private Partition partition(FileChannel file, long position, int size) {
    PartitionReader reader =
        (offset, leaderEpoch, lastEpoch, maxBytes, atLeastOne, isolation) ->
            new PartitionRead(
                ErrorCode.NONE,
                10,
                10,
                0,
                null,
                java.util.List.of(),
                new FileSlice(file, position, size));
    return (Partition)
        Proxy.newProxyInstance(
            Partition.class.getClassLoader(),
            new Class<?>[] {Partition.class},
            (self, method, arguments) ->
                switch (method.getName()) {
                  case "reader" -> reader;
                  case "logEndOffset" -> 1000L;
                  case "highWatermark", "lastStableOffset" -> 10L;
                  case "logStartOffset" -> 0L;
                  case "sizeBytes" -> 1_000_000L;
                  case "watch", "unwatch" -> null;
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  private record FileTopic(UUID id, String name, List<Partition> partitions) implements Topic {
    @Override
    public int partitionCount() {
      return partitions.size();
    }

    @Override
    public @Nullable Partition partition(int index) {
      return partitions.get(index);
    }

    @Override
    public boolean deleted() {
      return false;
    }
  }

  private static PartitionService service(Topic topic) {
    return (PartitionService)
        Proxy.newProxyInstance(
            PartitionService.class.getClassLoader(),
            new Class<?>[] {PartitionService.class},
            (self, method, arguments) ->
                switch (method.getName()) {
                  case "topic" -> topic;
                  default -> throw new UnsupportedOperationException(method.getName());
                });
  }

  @ParameterizedTest
  @CsvSource({
    "true, 1073741824, true",
    "false, 1073741824, true",
    "true, 0, true",
    "true, 0, false"
  })
  void largeAndSmallSlicesArriveWholeAndAreClosed(
      boolean nativeTransport, long coldBytes, boolean onDisk) throws IOException {
    cold = onDisk;
    byte[] content = new byte[3_000_000];
    new Random(7).nextBytes(content);
    Path path = directory.resolve("segment");
    Files.write(path, content);
    int[] sizes = {1, 32 * 1024, 100, 700_000, 32 * 1024 - 1, 1_000_000, 0, 40_000};
    try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ);
        TestContext context = TestContext.real().build()) {
      List<Partition> partitions = new java.util.ArrayList<>();
      int at = 0;
      for (int size : sizes) {
        partitions.add(partition(file, at, size));
        at += size;
      }
      Topic topic = new FileTopic(new UUID(1, 2), "files", partitions);
      Cluster cluster = new InMemoryCluster();
      KafkaConfig config =
          new KafkaConfig(
              "127.0.0.1",
              0,
              1,
              nativeTransport,
              10,
              10,
              1 << 20,
              1 << 18,
              100_000,
              60_000,
              60_000,
              60_000,
              1 << 16,
              100,
              1 << 26,
              57671680,
              1000,
              10,
              1000,
              coldBytes,
              true);
      KafkaServer server =
          new KafkaServer(
              config, context, cluster, service(topic), new ScriptedGroups(), List.of());
      server.start();
      try (RawClient client = new RawClient(server.addresses().getFirst().getPort())) {
        for (int version = 4; version <= 18; version += 7) {
          FetchTopic wanted =
              new FetchTopic().setTopic("files").setTopicId(new org.apache.kafka.common.Uuid(1, 2));
          for (int i = 0; i < PARTITIONS; i++) {
            wanted
                .partitions()
                .add(new FetchPartition().setPartition(i).setPartitionMaxBytes(1 << 20));
          }
          FetchRequestData request =
              new FetchRequestData().setMaxWaitMs(0).setMinBytes(1).setTopics(List.of(wanted));
          FetchResponseData answer = client.ask(version, request, new FetchResponseData());
          ByteBuffer all = ByteBuffer.allocate(at);
          answer
              .responses()
              .get(0)
              .partitions()
              .forEach(each -> all.put(bytes((MemoryRecords) each.records())));
          assertEquals(ByteBuffer.wrap(content, 0, at), all.flip());
        }
      } finally {
        server.drain();
        server.close();
      }
      assertEquals(0, open.get());
      assertEquals(onDisk && coldBytes == 0, readAhead.get() > 0);
    }
  }

  private static ByteBuffer bytes(@Nullable MemoryRecords records) {
    return records == null ? ByteBuffer.allocate(0) : records.buffer();
  }
}
