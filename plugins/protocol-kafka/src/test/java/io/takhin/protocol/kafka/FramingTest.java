package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TakhinException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.EndTxnRequestData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.MetadataRequestData;
import org.apache.kafka.common.message.MetadataResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Frames over real sockets, from clients that keep the rules and clients that do not.
@Timeout(30)
class FramingTest {
  private static TestBroker broker;

  @BeforeAll
  static void start() {
    broker = new TestBroker();
    broker.cluster.createTopic("orders", 2);
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static ApiVersionsRequestData apiVersions() {
    return new ApiVersionsRequestData()
        .setClientSoftwareName("raw")
        .setClientSoftwareVersion("1.0");
  }

  private static byte[] join(List<byte[]> frames) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    frames.forEach(all::writeBytes);
    return all.toByteArray();
  }

  private static void assertStillServes() {
    try (RawClient client = broker.client()) {
      var answer = client.ask(4, apiVersions(), new ApiVersionsResponseData());
      assertEquals(0, answer.errorCode());
    }
  }

  @Test
  void apiVersionsShowsWhatIsServedInEveryVersion() {
    try (RawClient client = broker.client()) {
      for (short version : ApiKeys.API_VERSIONS.allVersions()) {
        var answer = client.ask(version, apiVersions(), new ApiVersionsResponseData());
        assertEquals(0, answer.errorCode());
        assertEquals(13, answer.apiKeys().find(ApiKeys.PRODUCE.id).maxVersion());
        assertEquals(18, answer.apiKeys().find(ApiKeys.FETCH.id).maxVersion());
        assertNotNull(answer.apiKeys().find(ApiKeys.METADATA.id));
      }
    }
  }

  @Test
  void t4ProduceIsAdvertisedFromVersion0AndTransactionsNotAtAll() {
    try (RawClient client = broker.client()) {
      var answer = client.ask(3, apiVersions(), new ApiVersionsResponseData());
      assertEquals(0, answer.apiKeys().find(ApiKeys.PRODUCE.id).minVersion());
      assertEquals(null, answer.apiKeys().find(ApiKeys.END_TXN.id));
    }
  }

  @Test
  void t1ApiVersionsFromTheFutureIsAnsweredInVersion0WithItsOwnVersions() {
    try (RawClient client = broker.client()) {
      byte[] frame = RawClient.frame(4, 9, apiVersions());
      ByteBuffer.wrap(frame).putShort(6, (short) 99);
      client.send(frame);
      var answer = client.receive(ApiKeys.API_VERSIONS, 0, 9, new ApiVersionsResponseData());
      assertEquals(Errors.UNSUPPORTED_VERSION.code(), answer.errorCode());
      assertEquals(5, answer.apiKeys().find(ApiKeys.API_VERSIONS.id).maxVersion());
      assertEquals(1, answer.apiKeys().size());
      assertEquals(0, client.ask(4, apiVersions(), new ApiVersionsResponseData()).errorCode());
    }
  }

  @Test
  void t3SoftwareNamesThatAreNotNamesAreRefused() {
    try (RawClient client = broker.client()) {
      var request = apiVersions().setClientSoftwareName("a\nb");
      var answer = client.ask(3, request, new ApiVersionsResponseData());
      assertEquals(Errors.INVALID_REQUEST.code(), answer.errorCode());
    }
  }

  @Test
  void aClientThatLooksForAnotherClusterIsSentBackToItsBootstrapServers() {
    try (RawClient client = broker.client()) {
      var request = apiVersions().setClusterId("AAAAAAAAAAAAAAAAAAAAAA").setNodeId(1);
      var answer = client.ask(5, request, new ApiVersionsResponseData());
      assertEquals(Errors.REBOOTSTRAP_REQUIRED.code(), answer.errorCode());
    }
  }

  @Test
  void t7PipelinedRequestsAreAnsweredInOrderThoughTheFirstWaits() {
    try (RawClient client = broker.client()) {
      List<byte[]> frames = new ArrayList<>();
      frames.add(RawClient.frame(12, 1, waiting(300)));
      for (int i = 2; i <= 200; i++) {
        frames.add(
            i % 2 == 0
                ? RawClient.frame(3, i, apiVersions())
                : RawClient.frame(9, i, new MetadataRequestData().setTopics(List.of())));
      }
      client.send(join(frames));
      for (int i = 1; i <= 200; i++) {
        assertEquals(i, client.receive().getInt());
      }
    }
  }

  private static FetchRequestData waiting(int ms) {
    return new FetchRequestData()
        .setMaxWaitMs(ms)
        .setMinBytes(1)
        .setTopics(
            List.of(
                new FetchRequestData.FetchTopic()
                    .setTopic("orders")
                    .setPartitions(
                        List.of(
                            new FetchRequestData.FetchPartition()
                                .setPartition(0)
                                .setPartitionMaxBytes(1000)))));
  }

  @Test
  void framesMayBeCutAtEveryByte() throws Exception {
    byte[] two =
        join(
            List.of(
                RawClient.frame(4, 1, apiVersions()),
                RawClient.frame(9, 2, new MetadataRequestData().setTopics(List.of()))));
    try (RawClient client = broker.client()) {
      for (int cut = 1; cut < two.length; cut++) {
        client.send(two, 0, cut);
        if (cut % 7 == 0) {
          Thread.onSpinWait();
        }
        client.send(two, cut, two.length - cut);
        assertEquals(1, client.receive().getInt());
        assertEquals(2, client.receive().getInt());
      }
      for (byte each : two) {
        client.send(new byte[] {each});
      }
      assertEquals(1, client.receive().getInt());
      assertEquals(2, client.receive().getInt());
    }
  }

  @ParameterizedTest
  @ValueSource(
      ints = {Integer.MIN_VALUE, -1, 0, 1, 2, 3, 4, 5, 6, 7, (1 << 20) + 1, Integer.MAX_VALUE})
  void b1FramesOfImpossibleLengthCloseTheConnectionAtOnce(int length) {
    try (RawClient client = broker.client()) {
      client.send(ByteBuffer.allocate(4).putInt(length).array());
      assertTrue(client.closedByBroker());
    }
    assertStillServes();
  }

  @Test
  void b1AClaimedLengthReservesLittleUntilBytesCome() {
    List<RawClient> clients = new ArrayList<>();
    try (TestBroker small = new TestBroker()) {
      for (int i = 0; i < 50; i++) {
        RawClient client = small.client();
        clients.add(client);
        client.send(ByteBuffer.allocate(6).putInt(1 << 20).putShort((short) 0).array());
      }
      try (RawClient healthy = small.client()) {
        assertEquals(0, healthy.ask(3, apiVersions(), new ApiVersionsResponseData()).errorCode());
      }
      for (RawClient client : clients) {
        assertTrue(client.silentFor(1));
      }
      assertTrue(small.server.transport().reservedBytes() <= 50L * 64 * 1024);
      assertTrue(small.server.transport().reservedBytes() > 0);
      clients.forEach(RawClient::close);
    }
  }

  @Test
  void b9UnfinishedRequestsOfAllConnectionsTogetherAreBounded() {
    List<RawClient> clients = new ArrayList<>();
    try (TestBroker small = new TestBroker(settings -> with(settings, 1 << 20, 128 * 1024))) {
      for (int i = 0; i < 4; i++) {
        RawClient client = small.client();
        clients.add(client);
        client.send(ByteBuffer.allocate(6).putInt(1 << 20).array());
      }
      long closed = clients.stream().filter(client -> !client.silentFor(300)).count();
      assertEquals(2, closed);
      clients.forEach(RawClient::close);
    }
  }

  private static TestBroker.Settings with(
      TestBroker.Settings base, int requestMaxBytes, long receiveBytes) {
    return new TestBroker.Settings(
        base.maxConnections(),
        base.perIp(),
        requestMaxBytes,
        base.idleMs(),
        base.firstRequestMs(),
        base.arrivalMs(),
        base.queuedBytes(),
        base.queuedRequests(),
        receiveBytes,
        base.sessions(),
        base.nativeTransport());
  }

  @ParameterizedTest
  @ValueSource(ints = {-2, -100, 1_000_001, Integer.MAX_VALUE, Integer.MIN_VALUE, 5000})
  void b2ArraysThatClaimTooMuchCloseTheConnection(int count) {
    byte[] frame = RawClient.frame(0, 1, new MetadataRequestData().setTopics(List.of()));
    ByteBuffer.wrap(frame).putInt(frame.length - 4, count);
    try (RawClient client = broker.client()) {
      client.send(frame);
      assertTrue(client.closedByBroker());
    }
    assertStillServes();
  }

  @Test
  void b3ManyTaggedFieldsInTheHeaderCloseTheConnection() {
    ByteBuffer frame = ByteBuffer.allocate(200_000);
    frame.putInt(0).putShort((short) 18).putShort((short) 3).putInt(1).putShort((short) -1);
    frame.put((byte) 0x91).put((byte) 0x4e);
    for (int i = 0; i < 10_001; i++) {
      frame.put((byte) 5).put((byte) 0);
    }
    frame.putInt(0, frame.position() - 4);
    try (RawClient client = broker.client()) {
      client.send(frame.array(), 0, frame.position());
      assertTrue(client.closedByBroker());
    }
    assertStillServes();
  }

  @Test
  void b3AFewUnknownTagsAreSkipped() {
    byte[] plain = RawClient.frame(3, 5, apiVersions());
    ByteBuffer tagged = ByteBuffer.allocate(plain.length + 5);
    // The last byte is the number of tags of the body.
    tagged.put(plain, 0, plain.length - 1).put((byte) 1).put((byte) 90).put((byte) 2);
    tagged.put((byte) 1).put((byte) 2);
    tagged.putInt(0, tagged.position() - 4);
    try (RawClient client = broker.client()) {
      client.send(tagged.array(), 0, tagged.position());
      var answer = client.receive(ApiKeys.API_VERSIONS, 3, 5, new ApiVersionsResponseData());
      assertEquals(0, answer.errorCode());
    }
  }

  @Test
  void b4BytesAfterARequestCloseTheConnection() {
    byte[] plain = RawClient.frame(3, 5, apiVersions());
    byte[] longer = java.util.Arrays.copyOf(plain, plain.length + 1);
    ByteBuffer.wrap(longer).putInt(0, longer.length - 4);
    try (RawClient client = broker.client()) {
      client.send(longer);
      assertTrue(client.closedByBroker());
    }
  }

  @Test
  void b4RequestsCutShortCloseTheConnection() {
    for (ApiKeys key : List.of(ApiKeys.METADATA, ApiKeys.FETCH, ApiKeys.PRODUCE)) {
      for (int length = 8; length < 30; length++) {
        ByteBuffer frame = ByteBuffer.allocate(4 + length);
        frame.putInt(length).putShort(key.id).putShort(key.latestVersion()).putInt(1);
        while (frame.hasRemaining()) {
          frame.put((byte) 0x7f);
        }
        try (RawClient client = broker.client()) {
          client.send(frame.array());
          assertTrue(client.closedByBroker(), key + " of " + length);
        }
      }
    }
    assertStillServes();
  }

  @Test
  void unknownKeysAndVersionsCloseTheConnection() {
    for (int[] keyAndVersion : new int[][] {{999, 0}, {-1, 0}, {0, 2}, {0, 99}, {3, 99}, {4, 0}}) {
      ByteBuffer frame = ByteBuffer.allocate(14).putInt(10);
      frame.putShort((short) keyAndVersion[0]).putShort((short) keyAndVersion[1]).putInt(1);
      frame.putShort((short) -1);
      try (RawClient client = broker.client()) {
        client.send(frame.array());
        assertTrue(client.closedByBroker(), keyAndVersion[0] + " " + keyAndVersion[1]);
      }
    }
  }

  @Test
  void t59AKnownRequestThatIsNotServedGetsAProperError() {
    try (RawClient client = broker.client()) {
      var request =
          new EndTxnRequestData()
              .setTransactionalId("t")
              .setProducerId(1)
              .setProducerEpoch((short) 0);
      var answer = client.ask(1, request, new EndTxnResponseData());
      assertEquals(Errors.UNSUPPORTED_VERSION.code(), answer.errorCode());
    }
  }

  @Test
  void aFloodThatNobodyReadsStopsBeingRead() throws Exception {
    byte[] metadata = RawClient.frame(9, 1, new MetadataRequestData().setTopics(null));
    ByteBuffer many = ByteBuffer.allocate(metadata.length * 1000);
    for (int i = 0; i < 1000; i++) {
      many.put(metadata);
    }
    try (RawClient client = broker.client()) {
      client.socket().setSendBufferSize(64 * 1024);
      Thread writer =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      for (int i = 0; i < 2000; i++) {
                        client.send(many.array());
                      }
                    } catch (RuntimeException e) {
                      // The test closes the socket under it.
                    }
                  });
      long before = -1;
      long now = requests("Metadata");
      while (now != before) {
        before = now;
        writer.join(300);
        now = requests("Metadata");
      }
      assertTrue(writer.isAlive(), "the broker took everything");
      assertTrue(now > 0);
      assertStillServes();
      // Reading takes the pressure away: all that was sent is answered in the end.
      for (int i = 0; i < 20_000; i++) {
        client.receive();
      }
      assertNotEquals(before, requests("Metadata"));
      // Ends the writer.
      client.socket().close();
      writer.join();
    }
    assertStillServes();
  }

  private static long requests(String api) {
    return broker
        .context
        .metrics()
        .counter("takhin_kafka_requests_total", "Requests answered.", "api", api)
        .value();
  }

  @Test
  void waitingRequestsBeyondTheLimitAreNotRead() {
    try (TestBroker small = new TestBroker(FramingTest::fewRequests);
        RawClient client = small.client()) {
      small.cluster.createTopic("orders", 1);
      for (int i = 0; i < 100; i++) {
        client.send(12, i, waiting(i == 0 ? 400 : 0));
      }
      for (int i = 0; i < 100; i++) {
        assertEquals(i, client.receive().getInt());
      }
    }
  }

  private static TestBroker.Settings fewRequests(TestBroker.Settings base) {
    return new TestBroker.Settings(
        base.maxConnections(),
        base.perIp(),
        base.requestMaxBytes(),
        base.idleMs(),
        base.firstRequestMs(),
        base.arrivalMs(),
        2048,
        4,
        base.receiveBytes(),
        base.sessions(),
        base.nativeTransport());
  }

  @Test
  void connectionsAreBoundedInAllAndPerAddress() {
    try (TestBroker three = new TestBroker(base -> connections(base, 3, 1000));
        TestBroker two = new TestBroker(base -> connections(base, 1000, 2))) {
      for (TestBroker each : List.of(three, two)) {
        int allowed = each == three ? 3 : 2;
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < allowed; i++) {
          RawClient client = each.client();
          clients.add(client);
          client.ask(3, apiVersions(), new ApiVersionsResponseData());
        }
        try (RawClient tooMany = each.client()) {
          assertTrue(tooMany.closedByBroker());
        }
        clients.removeFirst().close();
        RawClient next = null;
        while (next == null) {
          RawClient attempt = each.client();
          try {
            attempt.ask(3, apiVersions(), new ApiVersionsResponseData());
            next = attempt;
          } catch (java.io.UncheckedIOException e) {
            attempt.close();
          }
        }
        next.close();
        clients.forEach(RawClient::close);
      }
    }
  }

  private static TestBroker.Settings connections(TestBroker.Settings base, int all, int perIp) {
    return new TestBroker.Settings(
        all,
        perIp,
        base.requestMaxBytes(),
        1000,
        300,
        300,
        base.queuedBytes(),
        base.queuedRequests(),
        base.receiveBytes(),
        base.sessions(),
        false);
  }

  @Test
  void clientsThatSayNothingOrTooSlowlyOrNothingMoreAreClosed() {
    try (TestBroker hasty = new TestBroker(base -> connections(base, 100, 100));
        RawClient silent = hasty.client();
        RawClient slow = hasty.client();
        RawClient done = hasty.client()) {
      slow.ask(3, apiVersions(), new ApiVersionsResponseData());
      slow.send(new byte[] {0, 0, 0});
      done.ask(3, apiVersions(), new ApiVersionsResponseData());
      assertTrue(silent.closedByBroker());
      assertTrue(slow.closedByBroker());
      assertTrue(done.closedByBroker());
    }
  }

  @Test
  void aTakenPortIsNamedWithItsKey() {
    KafkaConfig taken =
        new KafkaConfig(
            "127.0.0.1",
            broker.port(),
            1,
            true,
            10,
            10,
            1024,
            -1,
            100_000,
            1000,
            1000,
            1000,
            1024,
            10,
            1 << 20,
            1024,
            1000,
            10,
            1000,
            0,
            true);
    KafkaServer second = (KafkaServer) new KafkaProtocolProvider().create(taken, broker.context);
    TakhinException refused = assertThrows(TakhinException.class, second::start);
    second.close();
    String message = String.valueOf(refused.getMessage());
    assertTrue(message.contains(String.valueOf(broker.port())), message);
    assertTrue(message.contains("server.port"), message);
  }

  @Test
  void drainingAnswersWhatWaitsAndCloses() {
    TestBroker stopping = new TestBroker();
    stopping.cluster.createTopic("orders", 1);
    try (RawClient client = stopping.client()) {
      client.ask(3, apiVersions(), new ApiVersionsResponseData());
      client.send(12, 5, waiting(30_000));
      assertTrue(client.silentFor(100));
      stopping.server.drain();
      client.receive(ApiKeys.FETCH, 12, 5, new FetchResponseData());
      assertTrue(client.closedByBroker());
    }
    stopping.closeAndWait();
    assertEquals(List.of(), stopping.context.liveThreads().stream().map(Thread::getName).toList());
  }

  @Test
  void metadataAnswersOverTheSocket() {
    try (RawClient client = broker.client()) {
      var answer =
          client.ask(12, new MetadataRequestData().setTopics(null), new MetadataResponseData());
      assertEquals(broker.port(), answer.brokers().iterator().next().port());
    }
  }
}
