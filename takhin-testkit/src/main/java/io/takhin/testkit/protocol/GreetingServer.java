package io.takhin.testkit.protocol;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.protocol.ProtocolServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// The smallest protocol: it says `hello` and waits until either side hangs up.
public final class GreetingServer implements ProtocolServer {
  private final int port;
  private final PluginContext context;
  private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
  private volatile @Nullable ServerSocket listener;
  private @Nullable Thread acceptor;

  /// A server on the loopback address.
  ///
  /// @param port 0 lets the system choose
  public GreetingServer(int port, PluginContext context) {
    this.port = port;
    this.context = context;
  }

  @Override
  public void start() {
    try {
      ServerSocket bound = new ServerSocket(port, 16, InetAddress.getLoopbackAddress());
      listener = bound;
      Thread thread = context.threads("accept").newThread(() -> accept(bound));
      acceptor = thread;
      thread.start();
    } catch (IOException e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR, "port " + port + ": " + e.getMessage(), e);
    }
  }

  private void accept(ServerSocket bound) {
    while (!bound.isClosed()) {
      try {
        Socket client = bound.accept();
        clients.add(client);
        client.getOutputStream().write("hello\n".getBytes(StandardCharsets.US_ASCII));
      } catch (IOException hungUp) {
        clients.removeIf(Socket::isClosed);
      }
    }
  }

  @Override
  public List<InetSocketAddress> addresses() {
    ServerSocket bound = listener;
    return bound == null ? List.of() : List.of((InetSocketAddress) bound.getLocalSocketAddress());
  }

  @Override
  public void drain() {
    ServerSocket bound = listener;
    closeAll(bound == null ? List.of() : List.of(bound));
  }

  @Override
  public void close() {
    drain();
    Thread thread = acceptor;
    if (thread != null) {
      try {
        thread.join(); // a socket that a thread waits on is closed for good when the thread is out
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    // Only now: until it was out, the acceptor could take in one more.
    closeAll(List.copyOf(clients));
    clients.clear();
  }

  private static void closeAll(List<? extends java.io.Closeable> sockets) {
    for (java.io.Closeable socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        throw new java.io.UncheckedIOException(e);
      }
    }
  }
}
