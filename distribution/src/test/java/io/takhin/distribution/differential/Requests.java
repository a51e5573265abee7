package io.takhin.distribution.differential;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/// Steps of any API, and of none.
final class Requests {
  /// A step that only stands for "no step".
  static final Step NOTHING = ask(ApiKeys.API_VERSIONS, 0, _ -> new ApiVersionsRequestData());

  private Requests() {}

  /// A request whose answer is waited for, on the first connection.
  static Step ask(ApiKeys api, int version, Function<State, ApiMessage> request) {
    return new Step(0, api, (short) version, request, "", Step.Wait.NOW, null, null);
  }

  /// Bytes in place of a request's header and body.
  static Step raw(ApiKeys answeredAs, int version, byte[] frame) {
    return new Step(
        0,
        answeredAs,
        (short) version,
        _ -> new ApiVersionsRequestData(),
        "",
        Step.Wait.NOW,
        frame,
        null);
  }

  /// A request's frame, to change bytes of.
  static byte[] frame(ApiKeys api, int version, ApiMessage body) {
    RequestHeaderData header =
        new RequestHeaderData()
            .setRequestApiKey(api.id)
            .setRequestApiVersion((short) version)
            .setCorrelationId(7)
            .setClientId(Connection.CLIENT_ID);
    short headerVersion = api.requestHeaderVersion((short) version);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer frame =
        ByteBuffer.allocate(header.size(cache, headerVersion) + body.size(cache, (short) version));
    ByteBufferAccessor out = new ByteBufferAccessor(frame);
    header.write(out, cache, headerVersion);
    body.write(out, cache, (short) version);
    return frame.array();
  }

  /// The versions of an API that both brokers serve.
  static List<Integer> versions(ApiKeys api) {
    // AddPartitionsToTxn 4 and 5 are how brokers ask each other, InitProducerId 6 is unstable.
    return IntStream.rangeClosed(api.oldestVersion(), api.latestVersion(false)).boxed().toList();
  }

  /// Those of them for which a condition holds.
  static List<Integer> versions(ApiKeys api, IntPredicate condition) {
    return versions(api).stream().filter(condition::test).toList();
  }
}
