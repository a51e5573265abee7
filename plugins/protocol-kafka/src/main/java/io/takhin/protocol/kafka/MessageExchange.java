package io.takhin.protocol.kafka;

import io.netty.buffer.ByteBuf;
import io.takhin.api.TakhinException;
import io.takhin.protocol.kafka.net.Connection;
import io.takhin.protocol.kafka.net.ResponseSlot;
import io.takhin.protocol.kafka.wire.FrameWriter;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.jspecify.annotations.Nullable;

/// An exchange by message classes. Answers are encoded on the loop, into one buffer of the exact
/// size.
final class MessageExchange extends ResponseSlot implements Exchange {
  private final RequestRouter router;
  private final ApiKeys api;
  private final short version;
  private final @Nullable String clientId;
  private @Nullable ApiMessage request;

  MessageExchange(
      RequestRouter router,
      Connection connection,
      ApiKeys api,
      short version,
      int correlationId,
      @Nullable String clientId,
      int requestBytes) {
    super(connection, api.id, correlationId, requestBytes);
    this.router = router;
    this.api = api;
    this.version = version;
    this.clientId = clientId;
  }

  /// Sets what [#fail] derives the error response from.
  void request(ApiMessage decoded) {
    request = decoded;
  }

  @Override
  public ApiKeys api() {
    return api;
  }

  @Override
  public short version() {
    return version;
  }

  @Override
  public @Nullable String clientId() {
    return clientId;
  }

  @Override
  public InetAddress clientAddress() {
    return connection().address();
  }

  @Override
  public String listener() {
    return connection().listener();
  }

  @Override
  public boolean closed() {
    return connection().closed();
  }

  @Override
  public void respond(ApiMessage response) {
    onLoop(() -> encodeAndRespond(response));
  }

  private void encodeAndRespond(ApiMessage response) {
    ByteBuf encoded;
    try {
      encoded = encode(response);
    } catch (RuntimeException e) {
      router.defect(api, e);
      encodeFailure(e);
      return;
    }
    respond(encoded);
  }

  private ByteBuf encode(ApiMessage response) {
    boolean tags = api.responseHeaderVersion(version) >= 1;
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int length = 4 + (tags ? 1 : 0) + response.size(cache, version);
    ByteBuf out = connection().loop().allocator().directBuffer(4 + length);
    try {
      out.writeInt(length);
      out.writeInt(correlationId());
      if (tags) {
        out.writeByte(0);
      }
      response.write(new FrameWriter(out), cache, version);
      if (out.readableBytes() != 4 + length) {
        throw new IllegalStateException(
            api + " wrote " + out.readableBytes() + " bytes, not " + (4 + length));
      }
      return out;
    } catch (RuntimeException e) {
      out.release();
      throw e;
    }
  }

  @Override
  public void fail(Throwable failure) {
    onLoop(() -> encodeFailure(failure));
  }

  private void encodeFailure(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    if (answered()) {
      router.defect(api, cause);
      return;
    }
    ApiException shown;
    if (cause instanceof TakhinException known) {
      shown = Errors.forCode(known.code().code()).exception(known.getMessage());
    } else if (cause instanceof ApiException known) {
      shown = known;
    } else {
      router.defect(api, cause);
      shown = Errors.UNKNOWN_SERVER_ERROR.exception();
    }
    if (shown == null) {
      shown = Errors.UNKNOWN_SERVER_ERROR.exception();
    }
    router.countError(api, Errors.forException(shown).code());
    try {
      AbstractResponse response = errorResponse(shown);
      if (response == null) {
        disconnect();
      } else {
        respond(encode(response.data()));
      }
    } catch (RuntimeException e) {
      router.defect(api, e);
      if (!answered()) {
        disconnect();
      }
    }
  }

  /// Kafka's own error response for the request: it is written and read again, for only the request
  /// classes know how their errors look.
  private @Nullable AbstractResponse errorResponse(ApiException shown) {
    ApiMessage decoded = request;
    if (decoded == null) {
      return null;
    }
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer bytes = ByteBuffer.allocate(decoded.size(cache, version));
    decoded.write(new ByteBufferAccessor(bytes), cache, version);
    bytes.flip();
    return AbstractRequest.parseRequest(api, version, new ByteBufferAccessor(bytes))
        .request
        .getErrorResponse(shown);
  }

  @Override
  public void blocking(Runnable work) {
    try {
      router.blocking(
          () -> {
            try {
              work.run();
            } catch (RuntimeException e) {
              fail(e);
            }
          });
    } catch (java.util.concurrent.RejectedExecutionException e) {
      fail(e);
    }
  }
}
