package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.api.cluster.Cluster.ProducerIdBlock;
import io.takhin.testkit.cluster.InMemoryCluster;
import java.lang.reflect.Proxy;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.InitProducerIdRequestData;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.junit.jupiter.api.Test;

class ProducerApisTest {
  private final List<MessageApi<?>> apis = new ProducerApis(new InMemoryCluster(), null).apis();

  private InitProducerIdResponseData init(int version, InitProducerIdRequestData request) {
    return new RecordingExchange(ApiKeys.INIT_PRODUCER_ID, version).ask(apis, request).response();
  }

  private static InitProducerIdRequestData idempotent() {
    return new InitProducerIdRequestData().setTransactionalId(null);
  }

  @Test
  void everyProducerGetsAnIdOfItsOwnAcrossBlocks() {
    Set<Long> ids = new HashSet<>();
    for (int i = 0; i < 2500; i++) {
      InitProducerIdResponseData answer = init(i % 6, idempotent());
      assertEquals(0, answer.errorCode());
      assertEquals(0, answer.producerEpoch());
      assertTrue(ids.add(answer.producerId()));
    }
  }

  @Test
  void t46AnIdempotentProducerRecoversWithANewId() {
    long first = init(5, idempotent()).producerId();
    InitProducerIdResponseData again =
        init(5, idempotent().setProducerId(first).setProducerEpoch((short) 3));
    assertEquals(0, again.errorCode());
    assertTrue(again.producerId() != first);
    for (InitProducerIdRequestData half :
        List.of(idempotent().setProducerId(first), idempotent().setProducerEpoch((short) 0))) {
      assertEquals(ErrorCode.INVALID_REQUEST.code(), init(3, half).errorCode());
    }
  }

  @Test
  void t46ATransactionalIdIsRefusedForGoodWithoutACoordinator() {
    InitProducerIdResponseData answer =
        init(5, new InitProducerIdRequestData().setTransactionalId("t"));
    assertEquals(ErrorCode.INVALID_REQUEST.code(), answer.errorCode());
    assertEquals(-1, answer.producerId());
    assertEquals(-1, answer.producerEpoch());
  }

  /// A cluster that gives blocks when the test wants.
  private static Cluster slow(Queue<CompletableFuture<ProducerIdBlock>> asked) {
    return (Cluster)
        Proxy.newProxyInstance(
            ProducerApisTest.class.getClassLoader(),
            new Class<?>[] {Cluster.class},
            (proxy, method, args) -> {
              if (!method.getName().equals("allocateProducerIds")) {
                throw new UnsupportedOperationException(method.getName());
              }
              CompletableFuture<ProducerIdBlock> block = new CompletableFuture<>();
              asked.add(block);
              return block;
            });
  }

  @Test
  void whoComesBeforeTheBlockWaitsForItAndOneIsAskedForAtATime() {
    Queue<CompletableFuture<ProducerIdBlock>> asked = new ArrayDeque<>();
    ProducerIds ids = new ProducerIds(slow(asked));
    List<CompletableFuture<Long>> taken = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      taken.add(ids.take());
    }
    assertEquals(1, asked.size());
    asked.remove().complete(new ProducerIdBlock(100, 3));
    assertEquals(100, taken.get(0).join());
    assertEquals(102, taken.get(2).join());
    assertFalse(taken.get(3).isDone());
    assertEquals(1, asked.size());
    asked.remove().complete(new ProducerIdBlock(200, 30));
    assertEquals(201, taken.get(4).join());
    for (int i = 2; i < 26; i++) {
      assertEquals(200 + i, ids.take().join());
    }
    assertEquals(0, asked.size());
    assertEquals(226, ids.take().join());
    assertEquals(1, asked.size(), "the next block is asked for before this one is used up");
    assertEquals(227, ids.take().join());
    assertEquals(228, ids.take().join());
    assertEquals(1, asked.size());
    asked.remove().complete(new ProducerIdBlock(300, 30));
    assertEquals(229, ids.take().join());
    assertEquals(300, ids.take().join());
  }

  @Test
  void aBlockThatDoesNotComeLetsProducersTryAgain() {
    Queue<CompletableFuture<ProducerIdBlock>> asked = new ArrayDeque<>();
    List<MessageApi<?>> slow = new ProducerApis(slow(asked), null).apis();
    RecordingExchange exchange = new RecordingExchange(ApiKeys.INIT_PRODUCER_ID, 5);
    exchange.ask(slow, idempotent());
    assertFalse(exchange.answered());
    asked
        .remove()
        .completeExceptionally(new TakhinException(ErrorCode.NOT_CONTROLLER, "no leader"));
    assertEquals(
        ErrorCode.COORDINATOR_LOAD_IN_PROGRESS.code(),
        exchange.<InitProducerIdResponseData>response().errorCode());
    RecordingExchange again = new RecordingExchange(ApiKeys.INIT_PRODUCER_ID, 5);
    again.ask(slow, idempotent());
    asked.remove().complete(new ProducerIdBlock(5, 5));
    assertEquals(5, again.<InitProducerIdResponseData>response().producerId());
  }
}
