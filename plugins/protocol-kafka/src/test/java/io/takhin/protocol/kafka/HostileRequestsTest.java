package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.protocol.kafka.HostileFields.Lie;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.RequestShape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ApiVersionsResponseData;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// B2, B3, B4: requests that lie in one place, made from the schemas of every key and version that
/// Kafka has, over real sockets. Each closes its connection, and what the loop allocates for it is
/// a small multiple of what was sent.
@Timeout(60)
class HostileRequestsTest {
  /// A connection, its log line at most, and what is behind it.
  private static final long ALLOWED_BYTES = 64 * 1024;

  private static final int ALLOWED_TIMES = 16;

  private static TestBroker broker;
  private static LoopAllocation allocation;

  @BeforeAll
  static void start() {
    broker = new TestBroker();
    broker.cluster.createTopic("orders", 2);
    allocation = new LoopAllocation();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static List<Lie> of(Function<HostileFields, List<Lie>> which) {
    List<Lie> all = new ArrayList<>();
    for (ApiKeys key : ApiKeys.values()) {
      for (short version : key.allVersions()) {
        ApiMessage body =
            PopulatedMessage.full(
                key.messageType.newRequest(), key.messageType.requestSchemas()[version]);
        byte[] frame = RawClient.frame(version, 1, body);
        all.addAll(which.apply(new HostileFields(key, version, frame)));
      }
    }
    return all;
  }

  private static boolean refused(Lie lie) {
    try (RawClient client = broker.client()) {
      client.socket().setSoLinger(true, 0); // leaves nothing behind
      client.send(lie.frame());
      return client.closedByBroker();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Measures again: one line of the log a minute may have come just then.
  private static long allocatedFor(Lie lie) {
    long before = allocation.bytes();
    refused(lie);
    return allocation.bytes() - before;
  }

  private static void assertRefused(List<Lie> lies) {
    List<String> wrong = new ArrayList<>();
    long most = 0;
    long sum = 0;
    int keyAndVersion = 0;
    for (Lie lie : lies) {
      int next = ByteBuffer.wrap(lie.frame()).getInt(4);
      if (next != keyAndVersion) {
        keyAndVersion = next;
        refused(lie); // what is made once for all requests is not counted
      }
      long before = allocation.bytes();
      if (!refused(lie)) {
        wrong.add(lie.what() + " was answered");
      }
      long bytes = allocation.bytes() - before;
      sum += bytes;
      most = Math.max(most, bytes);
      long allowed = ALLOWED_BYTES + ALLOWED_TIMES * (long) lie.frame().length;
      if (bytes > allowed && allocatedFor(lie) > allowed) {
        wrong.add(lie.what() + " made the loop allocate " + bytes);
      }
    }
    System.out.println(
        lies.size() + " requests; heap for each " + sum / lies.size() + " bytes, most " + most);
    assertEquals(List.of(), wrong.subList(0, Math.min(50, wrong.size())), wrong.size() + " wrong");
    assertEquals(0, broker.server.transport().reservedBytes());
    try (RawClient client = broker.client()) {
      var answer =
          client.ask(
              3,
              new ApiVersionsRequestData().setClientSoftwareName("a").setClientSoftwareVersion("1"),
              new ApiVersionsResponseData());
      assertEquals(0, answer.errorCode());
    }
  }

  @Test
  void b2ArraysThatClaimTheImpossible() {
    List<Lie> lies = of(HostileFields::arrays);
    assertTrue(lies.size() > 3198, lies.size() + " lies");
    assertRefused(lies);
  }

  @Test
  void b3SectionsOfTagsThatAreNone() {
    List<Lie> lies = of(HostileFields::tags);
    assertTrue(lies.size() > 200, lies.size() + " lies");
    assertRefused(lies);
  }

  @Test
  void b4StringsAndBytesThatClaimTheImpossible() {
    List<Lie> lies = of(HostileFields::texts);
    assertTrue(lies.size() > 2000, lies.size() + " lies");
    assertRefused(lies);
  }

  @Test
  void b14ElementsThatFallOnEachOtherAreNotHashed() {
    CreateTopicsRequestData request = new CreateTopicsRequestData();
    CreateTopicsRequestData distinct = new CreateTopicsRequestData();
    for (int i = 0; i < 5000; i++) {
      request.topics().mustAdd(new CreatableTopic().setName("t%04d".formatted(i)));
      distinct.topics().mustAdd(new CreatableTopic().setName("sensor-data-" + i));
    }
    byte[] frame = RawClient.frame(5, 1, request);
    for (int i = 0; i + 5 < frame.length; i++) {
      if (frame[i] == 6 && frame[i + 1] == 't') {
        frame[i + 2] = '0'; // all names are one
        frame[i + 3] = '0';
        frame[i + 4] = '0';
        frame[i + 5] = '0';
      }
    }
    long from = System.nanoTime();
    assertTrue(refused(new Lie("", frame)));
    assertTrue(System.nanoTime() - from < 1_000_000_000L);
    assertFalse(refused(new Lie("", RawClient.frame(5, 1, distinct))));
  }

  @Test
  void b3TagsThatNobodyKnowsAreSkipped() {
    Set<ApiKeys> readInPlace =
        Set.of(
            ApiKeys.PRODUCE,
            ApiKeys.FETCH,
            ApiKeys.METADATA,
            ApiKeys.HEARTBEAT,
            ApiKeys.OFFSET_COMMIT,
            ApiKeys.LIST_OFFSETS);
    List<String> refused = new ArrayList<>();
    int count = 0;
    for (Lie request : of(HostileFields::strangers)) {
      ByteBuffer frame = ByteBuffer.wrap(request.frame());
      ApiKeys key = ApiKeys.forId(frame.getShort(4));
      count++;
      if (readInPlace.contains(key)) {
        try (RawClient client = broker.client()) {
          client.send(request.frame());
          if (client.closedByBroker()) {
            refused.add(request.what());
          }
        }
      } else {
        FrameReader in = new FrameReader().reset(frame, 12, frame.limit());
        in.skip(Math.max(in.readStringLength(false), 0));
        in.skipTags();
        RequestShape.of(key, frame.getShort(6)).check(in);
      }
    }
    assertTrue(count > 200, count + " requests");
    assertEquals(List.of(), refused);
  }

  @Test
  void wellMadeRequestsHaveTheShapeOfTheirSchema() {
    for (ApiKeys key : ApiKeys.values()) {
      for (short version : key.allVersions()) {
        var schema = key.messageType.requestSchemas()[version];
        for (ApiMessage body :
            List.of(
                key.messageType.newRequest(),
                PopulatedMessage.full(key.messageType.newRequest(), schema),
                PopulatedMessage.nulls(key.messageType.newRequest(), schema))) {
          ObjectSerializationCache cache = new ObjectSerializationCache();
          ByteBuffer bytes = ByteBuffer.allocate(body.size(cache, version));
          body.write(new ByteBufferAccessor(bytes), cache, version);
          RequestShape.of(key, version).check(new FrameReader(bytes.flip()));
        }
      }
    }
  }
}
