package io.takhin.distribution;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.common.requests.RequestUtils;

/// One connection that sends requests as it is told, many before the first answer, so that a test
/// can be any client, also one that no library would be. One thread.
final class WireClient implements AutoCloseable {
  private static final int TIMEOUT_MS = 30_000;

  private final Socket socket;
  private final DataOutputStream out;
  private final DataInputStream in;
  private final Deque<Answer> expected = new ArrayDeque<>();
  private int correlation;

  /// A request that was sent.
  final class Answer {
    private final RequestHeader header;
    private AbstractResponse response;

    private Answer(RequestHeader header) {
      this.header = header;
    }

    /// Waits for it and for all before it.
    <T> T as(Class<T> type) throws IOException {
      while (response == null) {
        byte[] frame = new byte[in.readInt()];
        in.readFully(frame);
        Answer next = expected.remove();
        next.response = AbstractResponse.parseResponse(ByteBuffer.wrap(frame), next.header);
      }
      return type.cast(response.data());
    }
  }

  WireClient(int port) throws IOException {
    socket = new Socket("127.0.0.1", port);
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(TIMEOUT_MS);
    out = new DataOutputStream(socket.getOutputStream());
    in = new DataInputStream(socket.getInputStream());
  }

  /// Sends without waiting.
  Answer send(ApiMessage request, int version) throws IOException {
    RequestHeader header =
        new RequestHeader(ApiKeys.forId(request.apiKey()), (short) version, "wire", ++correlation);
    ByteBuffer frame =
        RequestUtils.serialize(header.data(), header.headerVersion(), request, (short) version);
    byte[] bytes = new byte[4 + frame.remaining()];
    ByteBuffer.wrap(bytes).putInt(frame.remaining()).put(frame);
    out.write(bytes);
    Answer answer = new Answer(header);
    expected.add(answer);
    return answer;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
