package io.takhin.protocol.kafka.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.netty.channel.FileRegion;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MessageSizeEstimator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.IntegerUnixChannelOption;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.FastThreadLocalThread;
import io.netty.util.concurrent.GlobalEventExecutor;
import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.protocol.kafka.wire.MalformedRequestException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The listening socket, the loops and the connections: Netty's native epoll on Linux, NIO
/// elsewhere.
///
/// Threading: `start`, `drain` and `close` on the kernel's main thread; the rest any thread.
/// Blocking: `start` until bound, `drain` up to its time limit, `close` until the threads ended.
public final class Transport {
  private static final Logger log = LoggerFactory.getLogger(Transport.class);
  /// Of Linux' socket.h on all processors that Netty has a native transport for.
  private static final int SOL_SOCKET = 1;

  private static final ChannelOption<Integer> SEND_BUFFER =
      new IntegerUnixChannelOption("SO_SNDBUF of connections", SOL_SOCKET, 7);
  private static final ChannelOption<Integer> KEEP_ALIVE =
      new IntegerUnixChannelOption("SO_KEEPALIVE of connections", SOL_SOCKET, 9);

  private static final int READS_PER_TICK = 4;
  private static final int BACKLOG = 1024;
  private static final long DRAIN_MS = 5_000;
  private static final long CLOSE_MS = 5_000;

  private final TransportConfig config;
  private final PluginContext context;
  private final FrameHandler handler;
  private final TransportMetrics metrics;
  private final OncePerKind once;
  private final PooledByteBufAllocator allocator;
  private final Map<EventExecutor, Loop> loops = new IdentityHashMap<>();
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private final AtomicInteger open = new AtomicInteger();
  private final Map<InetAddress, Integer> perAddress = new HashMap<>();
  private final AtomicLong reserved = new AtomicLong();

  private @Nullable MultiThreadIoEventLoopGroup group;
  private @Nullable Channel server;

  /// Not bound yet.
  public Transport(
      TransportConfig config,
      PluginContext context,
      FrameHandler handler,
      TransportMetrics metrics) {
    this.config = config;
    this.context = context;
    this.handler = handler;
    this.metrics = metrics;
    once = new OncePerKind(context::nanoTime);
    allocator = new PooledByteBufAllocator(true, 0, config.threads(), 8192, 9, 64, 32, false);
    context
        .metrics()
        .gauges(
            "takhin_active_connections",
            "Connections that clients have open.",
            sink -> sink.value(open.get()));
    context
        .metrics()
        .gauges(
            "takhin_kafka_direct_memory_bytes",
            "Direct memory that the protocol's buffer pool holds.",
            sink -> sink.value(allocator.metric().usedDirectMemory()));
  }

  /// Loads the native transport ahead of [#start].
  public static void warmUp() {
    if (!Epoll.isAvailable()) {
      log.debug("No native epoll here", Epoll.unavailabilityCause());
    }
  }

  TransportConfig config() {
    return config;
  }

  FrameHandler handler() {
    return handler;
  }

  TransportMetrics metrics() {
    return metrics;
  }

  OncePerKind once() {
    return once;
  }

  /// How many loops there are; their indexes are below it.
  public int loopCount() {
    return config.threads();
  }

  /// Buffers for answers. Threading: any thread.
  public ByteBufAllocator allocator() {
    return allocator;
  }

  /// Binds.
  ///
  /// Errors: TakhinException that names the port and the key to change.
  public void start() {
    boolean epoll = config.nativeTransport() && Epoll.isAvailable();
    if (config.nativeTransport() && !epoll) {
      log.info("No native epoll here ({}): using NIO", reason(Epoll.unavailabilityCause()));
    }
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    MultiThreadIoEventLoopGroup made =
        new MultiThreadIoEventLoopGroup(config.threads(), loopThreads(), io);
    group = made;
    for (EventExecutor executor : made) {
      loops.put(
          executor,
          new Loop(
              loops.size(), (io.netty.channel.EventLoop) executor, allocator, context::nanoTime));
    }
    Class<? extends ServerChannel> type =
        epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    int high = Math.max(config.queuedMaxBytes(), 2);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(made)
            .channel(type)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, BACKLOG)
            .childOption(ChannelOption.ALLOCATOR, allocator)
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(high / 2, high))
            .childOption(ChannelOption.MESSAGE_SIZE_ESTIMATOR, new WholeSize())
            .childHandler(new Initializer());
    setSocketOptions(bootstrap, epoll);
    try {
      server = bootstrap.bind(config.host(), config.port()).sync().channel();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TakhinException(ErrorCode.UNKNOWN_SERVER_ERROR, "interrupted while binding", e);
    } catch (Exception e) {
      throw cannotBind(e);
    }
    log.info(
        "Listening on {} with {} {} loops",
        server.localAddress(),
        config.threads(),
        epoll ? "epoll" : "NIO");
  }

  /// What all connections' sockets have. On Linux they inherit it from the listening one, which
  /// saves four system calls for each; TCP_NODELAY the native transport sets unasked.
  private void setSocketOptions(ServerBootstrap bootstrap, boolean epoll) {
    // The system's own choice of a send buffer grows to megabytes. What was queued so long ago that
    // the caches forgot it costs up to three times the CPU to send: ADR 130 has the figures.
    int sendBytes = config.sendBufferBytes();
    if (epoll) {
      bootstrap.option(KEEP_ALIVE, 1);
      if (sendBytes > 0) {
        bootstrap.option(SEND_BUFFER, sendBytes);
      }
    } else {
      bootstrap.childOption(ChannelOption.TCP_NODELAY, true);
      bootstrap.childOption(ChannelOption.SO_KEEPALIVE, true);
      if (sendBytes > 0) {
        bootstrap.childOption(ChannelOption.SO_SNDBUF, sendBytes);
      }
    }
  }

  /// Threads of the kernel's making for which Netty's pool keeps caches.
  private ThreadFactory loopThreads() {
    ThreadFactory named = context.threads("loop");
    return work -> named.newThread(() -> FastThreadLocalThread.runWithFastThreadLocal(work));
  }

  private TakhinException cannotBind(Exception cause) {
    String message = String.valueOf(cause.getMessage());
    String remedy;
    if (message.contains("in use")) {
      remedy =
          "another process has port "
              + config.port()
              + ": stop it, or set server.port (TAKHIN_SERVER_PORT) to a free one";
    } else if (message.contains("ermission denied")) {
      remedy =
          "port "
              + config.port()
              + " needs rights that this user lacks: set server.port (TAKHIN_SERVER_PORT) above"
              + " 1023";
    } else {
      remedy = "check server.host (TAKHIN_SERVER_HOST) and server.port (TAKHIN_SERVER_PORT)";
    }
    return new TakhinException(
        ErrorCode.INVALID_CONFIG,
        "cannot listen on " + config.host() + ":" + config.port() + " (" + message + "): " + remedy,
        cause);
  }

  private static String reason(@Nullable Throwable cause) {
    Throwable root = cause;
    while (root != null && root.getCause() != null) {
      root = root.getCause();
    }
    return root == null ? "unknown" : root.toString();
  }

  /// Where it listens; empty before start.
  public List<InetSocketAddress> addresses() {
    Channel bound = server;
    return bound == null ? List.of() : List.of((InetSocketAddress) bound.localAddress());
  }

  /// Takes no more connections, answers what is in hand, and closes the connections; after 5 s also
  /// those that do not finish.
  public void drain() {
    stopListening();
    for (Connection connection : connections) {
      connection
          .loop()
          .submit(
              new LoopTask() {
                @Override
                protected void runOnLoop() {
                  connection.drain();
                }
              });
    }
    long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(DRAIN_MS);
    synchronized (perAddress) {
      try {
        long left = deadline - System.nanoTime();
        while (open.get() > 0 && left > 0) {
          TimeUnit.NANOSECONDS.timedWait(perAddress, left);
          left = deadline - System.nanoTime();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    if (open.get() > 0) {
      log.warn("{} connections did not finish in {} ms and are cut", open.get(), DRAIN_MS);
    }
  }

  /// Takes no more connections, and waits until all that were taken are among [#connections]: each
  /// is registered by a task of its loop. One that came after drain and close had looked would stay
  /// open for ever, since a loop that ends closes only what it knew before its last tasks.
  private void stopListening() {
    Channel bound = server;
    if (bound == null) {
      return;
    }
    bound.close().awaitUninterruptibly(CLOSE_MS);
    for (EventExecutor executor : loops.keySet()) {
      if (!executor.isShuttingDown()) {
        executor.submit(() -> {}).awaitUninterruptibly(CLOSE_MS);
      }
    }
  }

  /// Ends the loops and gives the memory back.
  public void close() {
    MultiThreadIoEventLoopGroup ending = group;
    if (ending == null) {
      return;
    }
    group = null;
    stopListening();
    for (Connection connection : connections) {
      connection.close();
    }
    loops.forEach((executor, loop) -> executor.execute(loop::release));
    ending
        .shutdownGracefully(0, CLOSE_MS, TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(2 * CLOSE_MS);
    try {
      // Netty tells of the end on a thread of its own, which must not outlive the plugin's layer.
      GlobalEventExecutor.INSTANCE.awaitInactivity(CLOSE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException e) {
      log.debug("Netty's global executor never ran: {}", e.toString());
    }
  }

  // ---- limits over all connections

  private @Nullable String admit(InetAddress address) {
    if (open.incrementAndGet() > config.maxConnections()) {
      return "kafka.max.connections";
    }
    synchronized (perAddress) {
      if (perAddress.merge(address, 1, Integer::sum) > config.maxConnectionsPerIp()) {
        forget(address);
        return "kafka.max.connections.per.ip";
      }
    }
    return null;
  }

  private void forget(InetAddress address) {
    perAddress.computeIfPresent(address, (ignored, count) -> count == 1 ? null : count - 1);
  }

  void closed(Connection connection) {
    if (connections.remove(connection)) {
      open.decrementAndGet();
      synchronized (perAddress) {
        forget(connection.address());
        perAddress.notifyAll();
      }
    }
  }

  void reserve(int bytes) {
    if (reserved.addAndGet(bytes) > config.receiveMaxBytes()) {
      reserved.addAndGet(-bytes);
      throw new MalformedRequestException(
          "unfinished requests of all connections hold more than kafka.receive.max.bytes");
    }
  }

  void unreserve(int bytes) {
    reserved.addAndGet(-bytes);
  }

  /// Bytes of unfinished requests of all connections.
  public long reservedBytes() {
    return reserved.get();
  }

  private final class Initializer extends ChannelInitializer<Channel> {
    @Override
    protected void initChannel(Channel channel) {
      InetSocketAddress remote = (InetSocketAddress) channel.remoteAddress();
      Loop loop = loops.get(channel.eventLoop());
      if (remote == null || loop == null) {
        channel.close();
        return;
      }
      String limit = admit(remote.getAddress());
      if (limit != null) {
        open.decrementAndGet();
        metrics.closed("too-many-connections");
        long held = once.admit(limit);
        if (held >= 0) {
          log.warn(
              "Refusing a connection from {}: {} is reached; {} more since the last time",
              remote.getAddress().getHostAddress(),
              limit,
              held);
        }
        channel.close();
        return;
      }
      Connection connection = new Connection(Transport.this, loop, channel, remote.getAddress());
      connections.add(connection);
      channel.config().setRecvByteBufAllocator(new Receive(connection));
      channel.pipeline().addLast(connection);
    }
  }

  /// Lets recv write where the connection wants the bytes.
  private static final class Receive extends DefaultMaxMessagesRecvByteBufAllocator {
    private final Connection connection;

    Receive(Connection connection) {
      super(READS_PER_TICK);
      this.connection = connection;
    }

    @SuppressWarnings("deprecation")
    @Override
    public RecvByteBufAllocator.Handle newHandle() {
      return new MaxMessageHandle() {
        @Override
        public ByteBuf allocate(ByteBufAllocator ignored) {
          return connection.receiveBuffer();
        }

        @Override
        public int guess() {
          return Loop.RECEIVE_BYTES;
        }
      };
    }
  }

  /// Counts what a response holds, files included: a client that does not read is not read from.
  private static final class WholeSize implements MessageSizeEstimator {
    private static final Handle HANDLE =
        message -> {
          if (message instanceof ByteBuf buffer) {
            return buffer.readableBytes();
          }
          return message instanceof FileRegion region
              ? (int) Math.min(region.count(), Integer.MAX_VALUE)
              : 0;
        };

    @Override
    public Handle newHandle() {
      return HANDLE;
    }
  }
}
