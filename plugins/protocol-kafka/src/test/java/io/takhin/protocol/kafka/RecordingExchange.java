package io.takhin.protocol.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import io.takhin.protocol.kafka.wire.FrameReader;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.jspecify.annotations.Nullable;

/// An exchange that takes requests and answers through their bytes, as a connection would: a field
/// that the version does not have is lost or refused, as on the wire. What blocks runs at once.
final class RecordingExchange implements Exchange {
  private final ApiKeys api;
  private final short version;
  private @Nullable ApiMessage response;
  private @Nullable Throwable failure;
  private boolean blocked;
  private boolean direct;

  RecordingExchange(ApiKeys api, int version) {
    this.api = api;
    this.version = (short) version;
  }

  /// Leaves the bytes out, for requests whose size matters.
  RecordingExchange direct() {
    direct = true;
    return this;
  }

  /// Gives a request to the handler of these.
  @SuppressWarnings("unchecked")
  RecordingExchange ask(List<MessageApi<?>> apis, ApiMessage request) {
    MessageApi<?> served = apis.stream().filter(one -> one.key() == api).findFirst().orElseThrow();
    ApiMessage decoded = throughBytes(request, api.messageType.newRequest());
    try {
      ((MessageHandler<ApiMessage>) served.handler()).handle(this, decoded);
    } catch (TakhinException refusal) {
      fail(refusal);
    }
    return this;
  }

  private ApiMessage throughBytes(ApiMessage message, ApiMessage empty) {
    if (direct) {
      return message;
    }
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(buffer), cache, version);
    FrameReader reader = new FrameReader(buffer.flip());
    empty.read(reader, version);
    reader.expectEnd();
    return empty;
  }

  /// The answer; AssertionError if there is none.
  @SuppressWarnings("unchecked")
  <R extends ApiMessage> R response() {
    if (failure != null) {
      throw new AssertionError("failed instead of an answer", failure);
    }
    if (response == null) {
      throw new AssertionError("no answer");
    }
    return (R) response;
  }

  /// Whether there was an answer or a failure.
  boolean answered() {
    return response != null || failure != null;
  }

  /// Why the whole request was refused; NONE if it was answered.
  ErrorCode refusal() {
    if (failure == null) {
      return ErrorCode.NONE;
    }
    if (failure instanceof TakhinException known) {
      return known.code();
    }
    throw new AssertionError("a defect", failure);
  }

  /// Whether the handler asked for a worker.
  boolean blocked() {
    return blocked;
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
    return "client-7";
  }

  @Override
  public InetAddress clientAddress() {
    return InetAddress.getLoopbackAddress();
  }

  @Override
  public String listener() {
    return "PLAINTEXT";
  }

  @Override
  public boolean closed() {
    return false;
  }

  @Override
  public void respond(ApiMessage answer) {
    assertEquals(null, response, "a second answer");
    response = throughBytes(answer, api.messageType.newResponse());
  }

  @Override
  public void fail(Throwable cause) {
    failure = cause;
  }

  @Override
  public void blocking(Runnable work) {
    blocked = true;
    work.run();
  }
}
