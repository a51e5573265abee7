package io.takhin.testkit.protocol;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.takhin.api.TakhinException;
import io.takhin.api.protocol.ProtocolServer;
import io.takhin.testkit.TestContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What every implementation of the extension point `protocol` does. Extend it, and say how a
/// server is made.
public abstract class ProtocolServerContract {
  /// For subclasses.
  protected ProtocolServerContract() {}

  /// A context with the services that the server needs; closed by the test.
  protected abstract TestContext context();

  /// A server that will listen on this port of the loopback address, not started.
  protected abstract ProtocolServer server(int port, TestContext context);

  @Test
  void listensOnlyBetweenStartAndClose() throws IOException {
    try (TestContext context = context()) {
      ProtocolServer server = server(0, context);
      assertEquals(List.of(), server.addresses(), "before start");
      server.start();
      InetSocketAddress address = server.addresses().getFirst();
      assertNotEquals(0, address.getPort(), "the port that the system chose");
      assertTrue(accepts(address));
      server.drain();
      server.close();
      assertFalse(accepts(address));
    }
  }

  @Test
  void closesWithoutHavingStarted() {
    try (TestContext context = context()) {
      server(0, context).close();
    }
  }

  @Test
  void aPortThatIsTakenIsNamed() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        TestContext context = context()) {
      ProtocolServer server = server(taken.getLocalPort(), context);
      TakhinException refused = assertThrows(TakhinException.class, server::start);
      assertTrue(
          String.valueOf(refused.getMessage()).contains(Integer.toString(taken.getLocalPort())),
          String.valueOf(refused.getMessage()));
      server.close();
    }
  }

  @Test
  void drainEndsConnectionsThatHaveNothingInHand() throws IOException {
    try (TestContext context = context()) {
      ProtocolServer server = server(0, context);
      server.start();
      InetSocketAddress address = server.addresses().getFirst();
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), address.getPort())) {
        client.setSoTimeout(20_000);
        server.drain();
        server.close();
        readToTheEnd(client);
      }
    }
  }

  @Test
  void noThreadIsLeftAfterClose() throws InterruptedException {
    try (TestContext context = context()) {
      List<Thread> before = context.liveThreads();
      ProtocolServer server = server(0, context);
      server.start();
      server.drain();
      server.close();
      for (Thread thread : context.liveThreads()) {
        if (!before.contains(thread) && !thread.getName().contains("scheduler")) {
          assertTrue(thread.join(Duration.ofSeconds(20)), () -> "still running: " + thread);
        }
      }
    }
  }

  /// Whatever the server still says, such as a greeting, and then its end; a time-out fails.
  private static void readToTheEnd(Socket client) throws IOException {
    try {
      client.getInputStream().transferTo(java.io.OutputStream.nullOutputStream());
    } catch (java.net.SocketException reset) {
      assertFalse(reset instanceof java.net.ConnectException);
    }
  }

  private static boolean accepts(InetSocketAddress address) {
    try (Socket client = new Socket(InetAddress.getLoopbackAddress(), address.getPort())) {
      return client.isConnected();
    } catch (IOException refused) {
      return false;
    }
  }
}
