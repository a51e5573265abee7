package io.takhin.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Many connections on one thread: frames out, whole answers in. Costs little, so that what is
/// measured is the broker.
final class Connections implements AutoCloseable {
  /// Enough for acknowledgements; thousands of connections shall not cost the client gigabytes.
  private static final int SMALL_BYTES = 16 * 1024;

  private static final int LARGE_BYTES = 256 * 1024;

  /// No measurement takes as long: a broker that stopped answering must not stop the whole run.
  private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(150);

  private final Selector selector = Selector.open();
  private final long deadline = System.nanoTime() + LIMIT_NANOS;
  private final List<Connection> all = new ArrayList<>();

  Connections(InetSocketAddress address, int count) throws IOException {
    for (int i = 0; i < count; i++) {
      SocketChannel channel = SocketChannel.open(address);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.configureBlocking(false);
      Connection connection = new Connection(i, channel);
      connection.key = channel.register(selector, SelectionKey.OP_READ, connection);
      all.add(connection);
    }
  }

  /// Sees each answer: from its correlation id on, valid until return.
  interface Answers {
    void answer(Connection connection, ByteBuffer body) throws IOException;
  }

  List<Connection> all() {
    return all;
  }

  /// Moves what can be moved; waits at most `timeoutMs` for something to do, not at all for 0.
  void poll(long timeoutMs, Answers answers) throws IOException {
    int ready = timeoutMs == 0 ? selector.selectNow() : selector.select(timeoutMs);
    if (ready == 0) {
      if (System.nanoTime() > deadline) {
        throw new IOException("the load did not end in time");
      }
      return;
    }
    for (SelectionKey key : selector.selectedKeys()) {
      Connection connection = (Connection) key.attachment();
      if (key.isReadable()) {
        connection.read(answers);
      }
      if (key.isWritable()) {
        connection.write();
      }
    }
    selector.selectedKeys().clear();
  }

  @Override
  public void close() throws IOException {
    for (Connection connection : all) {
      connection.channel.close();
    }
    selector.close();
  }

  /// One connection.
  static final class Connection {
    final int index;
    private final SocketChannel channel;
    private final ArrayDeque<ByteBuffer> out = new ArrayDeque<>();
    private ByteBuffer in = ByteBuffer.allocateDirect(SMALL_BYTES);
    private @Nullable SelectionKey key;

    Connection(int index, SocketChannel channel) {
      this.index = index;
      this.channel = channel;
    }

    /// Sends bytes from position to limit; the buffer must stay as it is until they are gone.
    void send(ByteBuffer frame) throws IOException {
      if (out.isEmpty()) {
        channel.write(frame);
        if (!frame.hasRemaining()) {
          return;
        }
        interest(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
      }
      out.add(frame);
    }

    private void write() throws IOException {
      while (!out.isEmpty()) {
        ByteBuffer frame = out.peek();
        channel.write(frame);
        if (frame.hasRemaining()) {
          return;
        }
        out.remove();
      }
      interest(SelectionKey.OP_READ);
    }

    private void interest(int ops) {
      if (key != null) {
        key.interestOps(ops);
      }
    }

    private void read(Answers answers) throws IOException {
      if (channel.read(in) < 0) {
        throw new IOException("the broker closed connection " + index);
      }
      in.flip();
      while (in.remaining() >= 4) {
        int size = in.getInt(in.position());
        if (in.remaining() < 4 + size) {
          break;
        }
        answers.answer(this, in.slice(in.position() + 4, size));
        in.position(in.position() + 4 + size);
      }
      int needed = in.remaining() >= 4 ? 4 + in.getInt(in.position()) : 4;
      if (needed > in.capacity()) {
        in = ByteBuffer.allocateDirect(Math.max(needed, LARGE_BYTES) + SMALL_BYTES).put(in);
      } else {
        in.compact();
      }
    }
  }
}
