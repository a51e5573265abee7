package io.takhin.broker.partition;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import io.takhin.api.ErrorCode;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.NewTopic;
import io.takhin.api.codec.Codecs;
import io.takhin.api.partition.Partition;
import io.takhin.api.partition.Partition.Isolation;
import io.takhin.api.partition.Partition.PartitionRead;
import io.takhin.api.partition.Partition.PartitionReader;
import io.takhin.api.partition.PartitionAppend;
import io.takhin.api.partition.PartitionService;
import io.takhin.api.partition.PartitionService.Topic;
import io.takhin.api.record.RecordBatch;
import io.takhin.api.record.Records;
import io.takhin.api.record.TransactionMarker;
import io.takhin.api.storage.LogAppend.Origin;
import io.takhin.api.storage.LogSlice;
import io.takhin.api.storage.LogStorage;
import io.takhin.api.storage.PartitionLog.AbortedTransaction;
import io.takhin.api.transaction.TransactionCoordinator;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.storage.local.LocalStorageConfig;
import io.takhin.storage.local.LocalStorageProvider;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.codec.GzipOnlyCodecs;
import io.takhin.testkit.storage.Batches;
import io.takhin.testkit.transaction.InMemoryTransactionCoordinator;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Producers that commit and abort at the same time, over the real log: a read_committed reader
/// sees all of what was committed, in order, and nothing else (C5).
class TransactionsOnDiskTest {
  private static final int PRODUCERS = 3;
  private static final int TRANSACTIONS = 150;

  @TempDir Path directory;
  private final InMemoryCluster cluster = new InMemoryCluster();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Map<String, Boolean> committed = new ConcurrentHashMap<>();
  private final List<Runnable> closing = new ArrayList<>();

  @SuppressWarnings("NullAway.Init")
  private TestContext context;

  @SuppressWarnings("NullAway.Init")
  private InMemoryTransactionCoordinator coordinator;

  private Partition start() {
    context =
        TestContext.real()
            .service(Cluster.class, cluster)
            .service(Codecs.class, new GzipOnlyCodecs())
            .build();
    LocalStorageConfig config =
        new LocalStorageConfig(
            directory,
            1 << 20,
            168,
            0,
            300_000,
            1000,
            10_000,
            true,
            1 << 20,
            "relaxed",
            256,
            86_400_000);
    LogStorage storage = new LocalStorageProvider().create(config, context);
    storage.start();
    context.provide(LogStorage.class, storage);
    PartitionService service = new PartitionProvider().create(new PartitionConfig(), context);
    service.start();
    context.provide(PartitionService.class, service);
    coordinator = new InMemoryTransactionCoordinator(context);
    context.provide(TransactionCoordinator.class, coordinator);
    TestContext made = context;
    closing.add(
        () -> {
          service.drain();
          storage.drain();
          service.close();
          storage.close();
          made.close();
        });
    if (cluster.image().topic("t") == null) {
      cluster.createTopics(
          List.of(new NewTopic("t", 1, (short) 1, Map.of(), Map.of("segment.bytes", "8192"))),
          false);
    }
    Topic topic = service.topic("t");
    assertNotNull(topic);
    Partition partition = topic.partition(0);
    assertNotNull(partition);
    return partition;
  }

  @AfterEach
  void stop() {
    closing.removeLast().run();
    threads.shutdownNow();
  }

  /// A produce that joins its transaction.
  private static final class Produce extends PartitionAppend {
    private final String transactionalId;
    private final CompletableFuture<ErrorCode> outcome = new CompletableFuture<>();

    Produce(ByteBuffer records, String transactionalId) {
      super(records, (short) -1, 10_000, Origin.CLIENT);
      this.transactionalId = transactionalId;
    }

    @Override
    public String transactionalId() {
      return transactionalId;
    }

    @Override
    public boolean joinsTransaction() {
      return true;
    }

    @Override
    public void done(
        ErrorCode error, long base, long timeMs, long start, @Nullable String message) {
      outcome.complete(error);
    }
  }

  private Void produce(Partition partition, int number) throws Exception {
    Random random = new Random(number);
    String id = "producer-" + number;
    InitResult identity = coordinator.init(id, 60_000, -1, (short) -1).get(10, SECONDS);
    int sequence = 0;
    for (int i = 0; i < TRANSACTIONS; i++) {
      List<Produce> sent = new ArrayList<>();
      for (int j = 0; j <= random.nextInt(4); j++) {
        String value = number + "/" + i + "/" + j;
        Produce produce =
            new Produce(
                Batches.inTransaction(
                    identity.producerId(), identity.producerEpoch(), sequence++, value),
                id);
        sent.add(produce);
        partition.append(produce);
      }
      for (Produce produce : sent) {
        assertEquals(ErrorCode.NONE, produce.outcome.get(10, SECONDS));
      }
      boolean commits = random.nextInt(3) > 0;
      for (int j = 0; commits && j < sent.size(); j++) {
        committed.put(number + "/" + i + "/" + j, true);
      }
      InitResult next =
          coordinator
              .end(id, identity.producerId(), identity.producerEpoch(), commits, true)
              .get(10, SECONDS);
      assertEquals(ErrorCode.NONE, next.error());
      sequence = 0;
      identity = next;
    }
    return null;
  }

  /// What a read_committed consumer takes, from the start to the end of the log.
  private static List<String> consume(Partition partition, long until, int maxBytes) {
    List<String> values = new ArrayList<>();
    PartitionReader reader = partition.reader();
    long next = 0;
    while (next < until || until < 0) {
      PartitionRead read = reader.read(next, -1, -1, maxBytes, true, Isolation.READ_COMMITTED);
      assertEquals(ErrorCode.NONE, read.error());
      try (LogSlice slice = read.records()) {
        if (slice == null || slice.sizeBytes() == 0) {
          if (until < 0) {
            return values;
          }
          Thread.onSpinWait();
          continue;
        }
        take(Batches.bytes(slice), read.aborted(), values);
        next = slice.endOffset();
      }
    }
    return values;
  }

  private static void take(
      ByteBuffer batches, List<AbortedTransaction> aborted, List<String> values) {
    Set<Long> skipped = new HashSet<>();
    int listed = 0;
    for (int at = 0; at < batches.limit(); at += (int) RecordBatch.sizeBytes(batches, at)) {
      while (listed < aborted.size()
          && aborted.get(listed).firstOffset() <= RecordBatch.lastOffset(batches, at)) {
        skipped.add(aborted.get(listed++).producerId());
      }
      TransactionMarker marker = TransactionMarker.read(batches, at);
      if (marker != null) {
        skipped.remove(RecordBatch.producerId(batches, at));
      } else if (!skipped.contains(RecordBatch.producerId(batches, at))) {
        Records.visit(
            batches,
            at,
            Records.payload(batches, at),
            (offset, timestampMs, key, value) ->
                values.add(value == null ? "" : UTF_8.decode(value).toString()));
      }
    }
  }

  private void assertCommitted(List<String> values) {
    assertEquals(values.size(), new HashSet<>(values).size());
    assertEquals(committed.keySet(), new HashSet<>(values));
    for (int number = 0; number < PRODUCERS; number++) {
      String prefix = number + "/";
      List<String> mine = values.stream().filter(value -> value.startsWith(prefix)).toList();
      List<String> ordered =
          mine.stream()
              .sorted(
                  java.util.Comparator.comparingInt(
                      value -> {
                        String[] parts = value.split("/", -1);
                        return Integer.parseInt(parts[1]) * 10 + Integer.parseInt(parts[2]);
                      }))
              .toList();
      assertEquals(ordered, mine);
    }
  }

  @Test
  void c5WhatIsCommittedIsSeenAndNothingElse() throws Exception {
    Partition partition = start();
    List<Future<Void>> producing = new ArrayList<>();
    for (int i = 0; i < PRODUCERS; i++) {
      int number = i;
      producing.add(threads.submit(() -> produce(partition, number)));
    }
    Future<List<String>> tailing =
        threads.submit(
            () -> {
              // Until all producers are done; then the end is known.
              List<String> seen = consume(partition, 300, 500);
              for (Future<Void> each : producing) {
                each.get(60, SECONDS);
              }
              return seen;
            });
    List<String> early = tailing.get(60, SECONDS);
    assertEquals(partition.highWatermark(), partition.lastStableOffset());
    List<String> all = consume(partition, -1, 1 << 20);
    assertCommitted(all);
    assertEquals(all.subList(0, early.size()), early);
    assertCommitted(consume(partition, -1, 700));
    closing.removeLast().run();
    Partition again = start();
    assertEquals(again.highWatermark(), again.lastStableOffset());
    assertCommitted(consume(again, -1, 3000));
  }
}
