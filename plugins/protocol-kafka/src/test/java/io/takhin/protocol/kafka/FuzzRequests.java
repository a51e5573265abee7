package io.takhin.protocol.kafka;

import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import io.takhin.protocol.kafka.wire.RequestShape;
import io.takhin.testkit.TestContext;
import io.takhin.testkit.cluster.InMemoryCluster;
import io.takhin.testkit.fuzz.Fuzzing;
import io.takhin.testkit.partition.InMemoryPartitionService;
import io.takhin.testkit.storage.InMemoryLogStorage;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;

/// Bodies of requests: the first byte is the API's key, the second chooses its version, the rest is
/// the body. What has the right shape is decoded, handled and its answer written.
final class FuzzRequests {
  private static final List<MessageApi<?>> APIS = apis();

  private FuzzRequests() {}

  private static List<MessageApi<?>> apis() {
    TestContext context =
        TestContext.real()
            .service(io.takhin.api.cluster.Cluster.class, new InMemoryCluster())
            .service(io.takhin.api.storage.LogStorage.class, new InMemoryLogStorage())
            .build();
    InMemoryPartitionService partitions = new InMemoryPartitionService(context);
    partitions.start();
    partitions.createTopic("t", 2);
    return ServedApisTest.apis(partitions);
  }

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzRequests::feed, input);
  }

  static void feed(byte[] input) {
    if (input.length < 2) {
      return;
    }
    MessageApi<?> api =
        APIS.stream().filter(one -> one.key().id == input[0]).findFirst().orElse(null);
    if (api == null) {
      return;
    }
    ApiKeys key = api.key();
    int versions = api.maxVersion() - api.minVersion() + 1;
    short version = (short) (api.minVersion() + ((input[1] & 0xff) % versions));
    ByteBuffer body = ByteBuffer.wrap(input, 2, input.length - 2).slice();
    ApiMessage request = key.messageType.newRequest();
    try {
      RequestShape.of(key, version).check(new FrameReader(body));
    } catch (MalformedRequestException refused) {
      return;
    }
    try {
      request.read(new FrameReader(body), version);
    } catch (RuntimeException refused) {
      return; // as RequestRouter does
    }
    RecordingExchange exchange = new RecordingExchange(key, version).ask(APIS, request);
    exchange.refusal(); // AssertionError for a defect
  }
}
