package io.takhin.protocol.kafka;

import io.takhin.testkit.fuzz.Fuzzing;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;

/// Bytes as a connection brings them: frames, headers, and the requests that are read in place, by
/// the whole server over a socket. The first frame's length is made right in one input of two.
final class FuzzFrames {
  private static final TestBroker BROKER = broker();

  private FuzzFrames() {}

  private static TestBroker broker() {
    TestBroker broker = new TestBroker();
    broker.cluster.createTopic("orders", 2);
    broker.groups.quiet = true;
    return broker;
  }

  /// What a fuzzer calls.
  public static void fuzzerTestOneInput(byte[] input) {
    Fuzzing.run(FuzzFrames::feed, input);
  }

  static void feed(byte[] input) throws IOException {
    if (input.length < 5) {
      return;
    }
    ByteBuffer bytes = ByteBuffer.wrap(input, 1, input.length - 1).slice();
    if ((input[0] & 1) == 0) {
      bytes.putInt(0, bytes.capacity() - 4);
    }
    try (Socket socket = new Socket("127.0.0.1", BROKER.port())) {
      socket.setSoLinger(true, 0);
      socket.getOutputStream().write(bytes.array(), bytes.arrayOffset(), bytes.capacity());
      // The broker handles what came and then closes, unless it waits for its answers to be read.
      socket.shutdownOutput();
      socket.setSoTimeout(200);
      byte[] answers = new byte[4096];
      int read = 0;
      while (read >= 0) {
        read = socket.getInputStream().read(answers);
      }
    } catch (SocketException | SocketTimeoutException e) {
      check();
      return;
    }
    check();
  }

  private static void check() {
    Double defects =
        BROKER.context.metrics().value("takhin_kafka_connections_closed_total", "reason", "defect");
    if (defects != null && defects > 0) {
      throw new AssertionError(defects + " connections were closed for a defect");
    }
  }
}
