package io.takhin.protocol.kafka;

import io.netty.buffer.ByteBuf;
import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.Cluster;
import io.takhin.protocol.kafka.fetch.FetchHandler;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.FrameHandler;
import io.takhin.protocol.kafka.net.OncePerKind;
import io.takhin.protocol.kafka.net.RequestHandler;
import io.takhin.protocol.kafka.net.TransportMetrics;
import io.takhin.protocol.kafka.produce.ProduceHandler;
import io.takhin.protocol.kafka.wire.FrameReader;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import io.takhin.protocol.kafka.wire.RequestShape;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Reads a request's header and gives the rest to whoever serves it: the hot APIs in place, the
/// others through their message classes.
///
/// What is not served: a version of ApiVersions that nobody knows is answered in version 0 (T1); a
/// key and version that Kafka has but this broker does not serve gets the API's error response with
/// UNSUPPORTED_VERSION (T59); anything else closes the connection, as in Kafka.
final class RequestRouter implements FrameHandler {
  private static final Logger log = LoggerFactory.getLogger(RequestRouter.class);
  private static final int KEYS = 256;
  private static final int VERSIONS = 64;

  private final PluginContext context;
  private final TransportMetrics metrics;
  private final FrameReader[] readers;
  private final ProduceHandler produce;
  private final FetchHandler fetch;
  private final ApiVersionsApi apiVersions;
  private final @Nullable MessageApi<?>[] apis = new MessageApi<?>[KEYS];
  private final @Nullable RequestHandler[] inPlace = new RequestHandler[KEYS];
  private final @Nullable RequestShape[] shapes = new RequestShape[KEYS * VERSIONS];
  private final OncePerKind once;

  RequestRouter(
      PluginContext context,
      TransportMetrics metrics,
      int loops,
      int maxElements,
      ProduceHandler produce,
      FetchHandler fetch,
      Map<ApiKeys, RequestHandler> inPlace,
      List<MessageApi<?>> served,
      Cluster cluster) {
    this.context = context;
    this.metrics = metrics;
    this.produce = produce;
    this.fetch = fetch;
    this.once = new OncePerKind(context::nanoTime);
    inPlace.forEach((key, handler) -> this.inPlace[key.id] = handler);
    readers = new FrameReader[loops];
    for (int i = 0; i < loops; i++) {
      readers[i] = new FrameReader(maxElements);
    }
    apiVersions = new ApiVersionsApi(cluster, served, metrics);
    List<MessageApi<?>> all = new ArrayList<>(served);
    all.addAll(apiVersions.apis());
    for (MessageApi<?> api : all) {
      if (apis[api.key().id] != null) {
        throw new IllegalStateException(api.key() + " is served twice");
      }
      apis[api.key().id] = api;
    }
  }

  /// Compiled when it is first asked for: most versions never are. Two loops may both do so.
  private RequestShape shape(ApiKeys key, short version) {
    int at = key.id * VERSIONS + version;
    RequestShape shape = shapes[at];
    if (shape == null) {
      shape = RequestShape.of(key, version);
      shapes[at] = shape;
    }
    return shape;
  }

  @Override
  public void frame(Connection connection, ByteBuf frame, ByteBuffer view, int from, int until) {
    FrameReader reader = readers[connection.loop().index()].reset(view, from, until);
    short key = reader.readShort();
    short version = reader.readShort();
    int correlationId = reader.readInt();
    if (!ApiKeys.hasId(key)) {
      unsupported(connection, key, version);
      return;
    }
    ApiKeys api = ApiKeys.forId(key);
    if (api == ApiKeys.API_VERSIONS && !api.isVersionSupported(version)) {
      new MessageExchange(this, connection, api, (short) 0, correlationId, null, until - from)
          .respond(apiVersions.unsupportedVersion());
      return;
    }
    if (!api.hasValidVersion() || !api.isVersionSupported(version)) {
      unsupported(connection, key, version);
      return;
    }
    int clientIdLength = reader.readStringLength(false);
    int clientIdAt = reader.position();
    reader.skip(Math.max(clientIdLength, 0));
    String clientId = connection.clientId(view, clientIdAt, clientIdLength);
    if (api.requestHeaderVersion(version) >= 2) {
      reader.skipTags();
    }
    if (api == ApiKeys.PRODUCE) {
      produce.handle(connection, frame, reader, version, correlationId, clientId, until - from);
    } else if (api == ApiKeys.FETCH) {
      fetch.handle(connection, frame, reader, version, correlationId, until - from);
    } else {
      RequestHandler handler = inPlace[key];
      int bodyAt = reader.position();
      if (handler == null
          || !handler.handle(connection, reader, version, correlationId, until - from)) {
        reader.reset(view, bodyAt, until);
        message(connection, reader, api, version, correlationId, clientId, until - from);
      }
    }
  }

  private void message(
      Connection connection,
      FrameReader reader,
      ApiKeys key,
      short version,
      int correlationId,
      @Nullable String clientId,
      int bytes) {
    RequestShape shape = shape(key, version);
    int bodyAt = reader.position();
    ApiMessage request = key.messageType.newRequest();
    try {
      shape.check(reader);
      reader.reset(reader.buffer(), bodyAt, reader.position());
      request.read(reader, version);
    } catch (MalformedRequestException e) {
      throw e;
    } catch (RuntimeException e) {
      // The generated readers throw nothing more special for what they find wrong.
      throw new MalformedRequestException(key + " version " + version + ": " + e.getMessage());
    }
    reader.expectEnd();
    MessageExchange exchange =
        new MessageExchange(this, connection, key, version, correlationId, clientId, bytes);
    exchange.request(request);
    MessageApi<?> api = apis[key.id];
    if (api == null || version < api.minVersion() || version > api.maxVersion()) {
      exchange.fail(
          new TakhinException(
              ErrorCode.UNSUPPORTED_VERSION,
              key + " version " + version + " is not served by this broker"));
      return;
    }
    handle(api, exchange, request);
  }

  // A MessageApi's key and its handler's request class belong together: see ServedApis.
  @SuppressWarnings("unchecked")
  private static <Q extends ApiMessage> void handle(
      MessageApi<Q> api, MessageExchange exchange, ApiMessage request) {
    try {
      api.handler().handle(exchange, (Q) request);
    } catch (RuntimeException e) {
      exchange.fail(e);
    }
  }

  private void unsupported(Connection connection, short key, short version) {
    connection.closeBecause(
        "unsupported-request", "a request with key " + key + " version " + version);
  }

  @Override
  public void closed(Connection connection) {
    fetch.closed(connection);
  }

  @Override
  public void draining(Connection connection) {
    fetch.draining(connection);
  }

  // ---- for exchanges

  void blocking(Runnable work) {
    context.blocking().execute(work);
  }

  void countError(ApiKeys api, short code) {
    metrics.error(api.id, code);
  }

  /// Something went wrong that no client can cause: logged once a minute per kind.
  void defect(ApiKeys api, Throwable failure) {
    long held = once.admit(api.name + " " + failure.getClass().getName());
    if (held >= 0) {
      log.error(
          "{} failed in a way that it should not; {} more like it since the last time",
          api.name,
          held,
          failure);
    }
  }
}
