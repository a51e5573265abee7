package io.takhin.distribution.differential;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.jspecify.annotations.Nullable;

/// A connection to a broker: frames out, frames in.
///
/// Threading: one thread.
final class Connection implements AutoCloseable {
  /// The client id of all scripts.
  static final String CLIENT_ID = "differential";

  private static final int LIMIT = 64 << 20;

  private final Socket socket;
  private int correlationId = 100;

  /// The broker ended the connection.
  static final class ClosedException extends IOException {
    private static final long serialVersionUID = 1L;

    ClosedException(String why, @Nullable Throwable cause) {
      super(why, cause);
    }
  }

  Connection(InetSocketAddress address) throws IOException {
    socket = new Socket();
    socket.setTcpNoDelay(true);
    socket.connect(address, 10_000);
  }

  int send(ApiKeys api, short version, ApiMessage body) throws IOException {
    int id = ++correlationId;
    RequestHeaderData header =
        new RequestHeaderData()
            .setRequestApiKey(api.id)
            .setRequestApiVersion(version)
            .setCorrelationId(id)
            .setClientId(CLIENT_ID);
    short headerVersion = api.requestHeaderVersion(version);
    ObjectSerializationCache cache = new ObjectSerializationCache();
    int size = header.size(cache, headerVersion) + body.size(cache, version);
    ByteBuffer frame = ByteBuffer.allocate(size);
    ByteBufferAccessor out = new ByteBufferAccessor(frame);
    header.write(out, cache, headerVersion);
    body.write(out, cache, version);
    send(frame.array());
    return id;
  }

  /// Sends bytes with their length before them.
  void send(byte[] frame) throws IOException {
    ByteBuffer all = ByteBuffer.allocate(4 + frame.length);
    all.putInt(frame.length).put(frame);
    try {
      OutputStream out = socket.getOutputStream();
      out.write(all.array());
      out.flush();
    } catch (SocketException e) {
      throw new ClosedException("closed while sending", e);
    }
  }

  /// The next frame without its length, or null if none begins in time.
  @Nullable ByteBuffer receive(int timeoutMs) throws IOException {
    socket.setSoTimeout(timeoutMs);
    DataInputStream in = new DataInputStream(socket.getInputStream());
    try {
      int length = in.readInt();
      if (length < 0 || length > LIMIT) {
        throw new IOException("a frame of " + length + " bytes");
      }
      byte[] bytes = new byte[length];
      in.readFully(bytes);
      return ByteBuffer.wrap(bytes);
    } catch (SocketTimeoutException e) {
      return null;
    } catch (EOFException | SocketException e) {
      throw new ClosedException("closed", e);
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
