package io.takhin.distribution;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;

/// A connection on which anything may be sent: what Kafka's clients would not send.
final class RawClient implements AutoCloseable {
  private final Socket socket = new Socket();
  private final DataInputStream in;

  RawClient(int port) throws IOException {
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(10_000);
    socket.connect(new InetSocketAddress("127.0.0.1", port), 10_000);
    in = new DataInputStream(socket.getInputStream());
  }

  Socket socket() {
    return socket;
  }

  /// A request with its length before it.
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
    ByteBuffer out = ByteBuffer.allocate(4 + size).putInt(size);
    ByteBufferAccessor writer = new ByteBufferAccessor(out);
    header.write(writer, cache, headerVersion);
    request.write(writer, cache, (short) version);
    return out.array();
  }

  RawClient send(byte[] bytes) throws IOException {
    OutputStream out = socket.getOutputStream();
    out.write(bytes);
    return this;
  }

  /// The next answer, from its correlation id on.
  byte[] receive() throws IOException {
    byte[] answer = new byte[in.readInt()];
    in.readFully(answer);
    return answer;
  }

  <R extends ApiMessage> R ask(int version, ApiMessage request, R into) throws IOException {
    send(frame(version, 7, "raw", request));
    ByteBuffer answer = ByteBuffer.wrap(receive());
    answer.getInt();
    if (ApiKeys.forId(request.apiKey()).responseHeaderVersion((short) version) >= 1) {
      answer.get();
    }
    into.read(new ByteBufferAccessor(answer), (short) version);
    return into;
  }

  /// Whether the broker ends the connection without an answer.
  boolean closedByBroker() {
    try {
      return in.read() < 0;
    } catch (java.net.SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /// Closes with a reset.
  void reset() throws IOException {
    socket.setSoLinger(true, 0);
    socket.close();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
