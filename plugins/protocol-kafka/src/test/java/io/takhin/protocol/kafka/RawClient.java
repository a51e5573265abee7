package io.takhin.protocol.kafka;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/// A client that sends the bytes it is told to: frames are made by the message classes of the Kafka
/// client.
final class RawClient implements AutoCloseable {
  private final Socket socket;
  private final DataInputStream in;

  RawClient(int port) {
    try {
      socket = new Socket("127.0.0.1", port);
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(10_000);
      in = new DataInputStream(socket.getInputStream());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] frame(int version, int correlationId, ApiMessage request) {
    return frame(version, correlationId, "raw", request);
  }

  static byte[] frame(int version, int correlationId, String clientId, ApiMessage request) {
    ApiKeys key = ApiKeys.forId(request.apiKey());
    short headerVersion = key.requestHeaderVersion((short) version);
    RequestHeaderData header =
        new RequestHeaderData()
            .setRequestApiKey(key.id)
            .setRequestApiVersion((short) version)
            .setCorrelationId(correlationId)
            .setClientId(clientId);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int size = header.size(cache, headerVersion) + request.size(cache, (short) version);
    ByteBuffer out = ByteBuffer.allocate(4 + size);
    out.putInt(size);
    ByteBufferAccessor writer = new ByteBufferAccessor(out);
    header.write(writer, cache, headerVersion);
    request.write(writer, cache, (short) version);
    return out.array();
  }

  RawClient send(byte[] bytes) {
    return send(bytes, 0, bytes.length);
  }

  RawClient send(byte[] bytes, int from, int length) {
    try {
      socket.getOutputStream().write(bytes, from, length);
      socket.getOutputStream().flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  RawClient send(int version, int correlationId, ApiMessage request) {
    return send(frame(version, correlationId, request));
  }

  /// The next answer, from its correlation id on.
  ByteBuffer receive() {
    try {
      byte[] bytes = new byte[in.readInt()];
      in.readFully(bytes);
      return ByteBuffer.wrap(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The next answer, read by the Kafka client's class.
  <R extends ApiMessage> R receive(ApiKeys key, int version, int correlationId, R into) {
    ByteBuffer bytes = receive();
    int correlation = bytes.getInt();
    if (correlation != correlationId) {
      throw new AssertionError("answer to " + correlation + " instead of " + correlationId);
    }
    if (key.responseHeaderVersion((short) version) >= 1 && bytes.get() != 0) {
      throw new AssertionError("tags in the header");
    }
    into.read(new ByteBufferAccessor(bytes), (short) version);
    if (bytes.hasRemaining()) {
      throw new AssertionError(bytes.remaining() + " bytes after the answer");
    }
    return into;
  }

  <R extends ApiMessage> R ask(int version, ApiMessage request, R into) {
    send(version, 77, request);
    return receive(ApiKeys.forId(request.apiKey()), version, 77, into);
  }

  /// Whether the broker closes the connection without a byte.
  boolean closedByBroker() {
    try {
      return in.read() < 0;
    } catch (SocketException e) {
      return true;
    } catch (EOFException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  boolean silentFor(int ms) {
    try {
      socket.setSoTimeout(ms);
      try {
        return in.read() < -1;
      } catch (java.net.SocketTimeoutException e) {
        return true;
      } finally {
        socket.setSoTimeout(10_000);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Socket socket() {
    return socket;
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
