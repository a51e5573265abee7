package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.PluginContext;
import io.takhin.api.TakhinException;
import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum;
import io.takhin.api.cluster.MetadataRecord;
import java.io.IOException;
import java.lang.reflect.Field;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SnapshotManagementRequest;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.storage.RaftStorage.StartupOption;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.JvmPauseMonitor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The metadata log, by Apache Ratis, in a quorum of one.
///
/// ```
///           start()                  leader ready               close()
///   NEW -----------------> STARTING --------------> READY -----------------> CLOSED
///                             |                       |
///                             | no leader in time,    | Ratis ends, or a record
///                             | damaged log, ...      | cannot be applied
///                             v                       v
///                          FAILED (start throws)   FAILED (PluginContext.fatal)
/// ```
///
/// Nothing else of the plugin knows Ratis but [MetadataStateMachine] and [SoleTransport].
///
/// Threading: any thread. Futures complete on the executor given, never on Ratis' threads, so that
/// what hangs on them may wait for another append.
final class RaftQuorum implements MetadataQuorum, MetadataStateMachine.Events {
  private static final Logger LOG = LoggerFactory.getLogger(RaftQuorum.class);

  /// How long an append may take before its outcome counts as unknown.
  private static final long APPEND_TIMEOUT_MS = 30_000;

  /// How long a close waits for each of Ratis' threads.
  private static final long END_WAIT_MS = 500;

  /// How long the close after a failed start may take.
  private static final long FAILED_CLOSE_WAIT_MS = 5_000;

  private final RaftClusterConfig config;
  private final PluginContext context;
  private final RaftStorageDirectory directory;
  private final Executor replies;
  private final MetadataStateMachine stateMachine;
  private final MetadataRoom room;
  private final RaftPeerId self;
  private final ClientId client = ClientId.randomId();
  private final AtomicLong calls = new AtomicLong();
  private final CompletableFuture<@Nullable Void> ready = new CompletableFuture<>();
  private final Object startLock = new Object();
  private final Threads threads;
  private volatile @Nullable RaftServer server;
  private volatile @Nullable ScheduledFuture<?> snapshots;
  private volatile boolean closing;
  private volatile @Nullable Throwable failure;
  private volatile int leader = -1;

  RaftQuorum(
      RaftClusterConfig config,
      PluginContext context,
      RaftStorageDirectory directory,
      Executor replies) {
    this.config = config;
    this.context = context;
    this.threads = new Threads(context.pluginName());
    this.directory = directory;
    this.replies = replies;
    this.room = MetadataRoom.of(directory.path());
    this.self = RaftPeerId.valueOf(Integer.toString(config.brokerId()));
    this.stateMachine =
        new MetadataStateMachine(
            this,
            context
                    .metrics()
                    .histogram(
                        "takhin_metadata_apply_seconds",
                        "How long a change of metadata took to apply, listeners included.")
                ::record);
  }

  static int nodeId(RaftPeerId peer) {
    return Integer.parseInt(peer.toString());
  }

  /// Opens the log and waits until this node leads and has applied all of it.
  ///
  /// Errors: TakhinException that says what hinders it, after at most `kafka.start.timeout.ms`.
  void start() {
    // Ratis loads classes by name through the thread's loader, and its threads inherit it.
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(RaftServer.class.getClassLoader());
    try {
      checkUnsafe();
      checkFiles();
      startRatis();
    } finally {
      thread.setContextClassLoader(before);
    }
    snapshots =
        context
            .scheduler()
            .scheduleWithFixedDelay(
                this::snapshotIfChanged,
                config.snapshotIntervalMs(),
                config.snapshotIntervalMs(),
                TimeUnit.MILLISECONDS);
  }

  /// Looks at Ratis' files before Ratis does.
  private void checkFiles() {
    String damaged;
    try {
      RatisLogFiles.cutTornTail(directory.current(), directory.path());
      damaged = RatisLogFiles.damaged(directory.current());
    } catch (IOException e) {
      throw unreadable(reason(e), e);
    }
    if (damaged != null) {
      throw unreadable(damaged + "; restore the directory from a backup", null);
    }
  }

  private TakhinException unreadable(String why, @Nullable Throwable cause) {
    return new TakhinException(
        ErrorCode.UNKNOWN_SERVER_ERROR,
        "the metadata log in %s cannot be opened: %s".formatted(directory.raft(), why),
        cause);
  }

  private void startRatis() {
    try {
      RaftServer built =
          RaftServer.newBuilder()
              .setServerId(self)
              .setGroup(group())
              .setStateMachine(stateMachine)
              .setProperties(properties())
              .setOption(directory.isFormatted() ? StartupOption.RECOVER : StartupOption.FORMAT)
              .setThreadGroup(threads)
              .build();
      server = built;
      built.start();
      stopPauseMonitor(built);
      ready.get(config.startTimeoutMs(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw failedStart(
          ("the metadata quorum found no leader within kafka.start.timeout.ms = %d ms. See Ratis'"
                  + " messages in the log; on a slow disk raise the timeout")
              .formatted(config.startTimeoutMs()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failedStart("the start was interrupted", e);
    } catch (IOException | ExecutionException | RuntimeException | Error e) {
      throw failedStart(
          "the metadata log in %s cannot be opened: %s".formatted(directory.raft(), reason(e)), e);
    }
  }

  /// Ratis asks the garbage collectors three times a second whether the JVM stood still, which is a
  /// fifth of an idle broker's CPU. Nothing would follow here ([RatisProperties] sets both its
  /// thresholds to ten years), and no property turns it off.
  private static void stopPauseMonitor(RaftServer built) {
    try {
      Field monitor = built.getClass().getDeclaredField("pauseMonitor");
      monitor.setAccessible(true);
      ((JvmPauseMonitor) monitor.get(built)).stop();
    } catch (ReflectiveOperationException | RuntimeException e) {
      LOG.debug("Ratis has no pause monitor to stop: it goes on, if there is one", e);
    }
  }

  /// Under `--sun-misc-unsafe-memory-access=deny` a thread of Ratis would die and nobody would ever
  /// lead: asked here, where it can be said.
  private static void checkUnsafe() {
    try {
      Class.forName("org.apache.ratis.thirdparty.com.google.protobuf.UnsafeUtil");
    } catch (ReflectiveOperationException | LinkageError e) {
      throw new TakhinException(
          ErrorCode.UNKNOWN_SERVER_ERROR,
          "Ratis cannot use sun.misc.Unsafe: start Java with --sun-misc-unsafe-memory-access=allow",
          e);
    }
  }

  private TakhinException failedStart(String what, Throwable cause) {
    Throwable failed = failure;
    String message = failed == null ? what : what + " (" + reason(failed) + ")";
    closeWithin(FAILED_CLOSE_WAIT_MS, context.threads("close"), this::close, cause);
    return new TakhinException(ErrorCode.UNKNOWN_SERVER_ERROR, message, cause);
  }

  /// Closes what a failed start left. Over a damaged log Ratis may wait for a thread of its own
  /// that never ends: the reason has to be told anyway.
  ///
  /// @param cause why the start failed; takes what the close throws meanwhile
  static void closeWithin(long limitMs, ThreadFactory threads, Runnable close, Throwable cause) {
    Thread closer =
        threads.newThread(
            () -> {
              try {
                close.run();
              } catch (RuntimeException e) {
                cause.addSuppressed(e);
              }
            });
    closer.start();
    try {
      if (!closer.join(Duration.ofMillis(limitMs))) {
        LOG.warn("the metadata quorum does not close after its start failed");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }

  private RaftGroup group() {
    return RaftGroup.valueOf(
        groupId(), List.of(RaftPeer.newBuilder().setId(self).setAddress("localhost:0").build()));
  }

  private static RaftGroupId groupId() {
    return RaftGroupId.valueOf(RaftStorageDirectory.GROUP);
  }

  private RaftProperties properties() {
    return RatisProperties.of(config, directory.raft());
  }

  @Override
  public MetadataImage image() {
    return stateMachine.image();
  }

  void subscribe(MetadataListener listener) {
    stateMachine.subscribe(listener);
  }

  /// Index in Ratis' log of the newest snapshot, -1 for none.
  long snapshotIndex() {
    return stateMachine.snapshotIndex();
  }

  @Override
  public CompletableFuture<Outcome> append(long expectedOffset, List<MetadataRecord> records) {
    long offset = stateMachine.image().offset();
    if (offset != expectedOffset) {
      return CompletableFuture.completedFuture(new Outcome.Conflict(offset));
    }
    ByteBuffer bytes = MetadataCodec.encode(new MetadataCodec.Append(expectedOffset, records));
    if (bytes.remaining() > RatisProperties.MAX_APPEND_BYTES) {
      return CompletableFuture.failedFuture(
          new TakhinException(
              ErrorCode.POLICY_VIOLATION,
              "a change of %d records takes %d bytes, and at most %d go into one: make it several"
                  .formatted(records.size(), bytes.remaining(), RatisProperties.MAX_APPEND_BYTES)));
    }
    try {
      room.check(records);
    } catch (TakhinException e) {
      return CompletableFuture.failedFuture(e);
    }
    RaftClientRequest request =
        RaftClientRequest.newBuilder()
            .setClientId(client)
            .setServerId(self)
            .setGroupId(groupId())
            .setCallId(calls.incrementAndGet())
            .setMessage(Message.valueOf(ByteString.copyFrom(bytes)))
            .setType(RaftClientRequest.writeRequestType())
            .build();
    return submit(request)
        .orTimeout(APPEND_TIMEOUT_MS, TimeUnit.MILLISECONDS)
        .handleAsync(this::outcome, replies);
  }

  private CompletableFuture<RaftClientReply> submit(RaftClientRequest request) {
    RaftServer running = server;
    if (running == null || closing) {
      return CompletableFuture.failedFuture(notRunning(null));
    }
    try {
      return running.submitClientRequestAsync(request);
    } catch (IOException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private Outcome outcome(@Nullable RaftClientReply reply, @Nullable Throwable thrown) {
    if (thrown instanceof TakhinException known) {
      throw known;
    }
    if (thrown != null || reply == null) {
      throw unknownOutcome(thrown);
    }
    if (reply.isSuccess()) {
      return MetadataStateMachine.decode(reply.getMessage());
    }
    if (reply.getNotLeaderException() != null
        || reply.getLeaderNotReadyException() != null
        || reply.getLeaderSteppingDownException() != null) {
      throw new TakhinException(
          ErrorCode.NOT_CONTROLLER, "the metadata quorum has no leader here", reply.getException());
    }
    if (reply.getAlreadyClosedException() != null) {
      throw notRunning(reply.getException());
    }
    throw unknownOutcome(reply.getException());
  }

  private static TakhinException notRunning(@Nullable Throwable cause) {
    return new TakhinException(
        ErrorCode.NOT_CONTROLLER, "the metadata quorum is not running on this broker", cause);
  }

  private static TakhinException unknownOutcome(@Nullable Throwable cause) {
    return new TakhinException(
        ErrorCode.REQUEST_TIMED_OUT,
        "it is not known whether the change of metadata was made; look before trying again",
        cause);
  }

  @Override
  public QuorumState state() {
    return new QuorumState(
        leader, epoch(), stateMachine.image().offset(), List.of(config.brokerId()));
  }

  private int epoch() {
    RaftServer running = server;
    if (running == null || closing) {
      return 0;
    }
    try {
      return (int) running.getDivision(groupId()).getInfo().getCurrentTerm();
    } catch (IOException e) {
      return 0; // Ratis is closing: there is no epoch to speak of.
    }
  }

  /// Takes a snapshot, and completes with its index in Ratis' log.
  CompletableFuture<Long> takeSnapshot() {
    RaftServer running = server;
    if (running == null || closing) {
      return CompletableFuture.failedFuture(notRunning(null));
    }
    try {
      // The smallest gap there is: whether it is worth it was decided before.
      return running
          .snapshotManagementAsync(
              SnapshotManagementRequest.newCreate(
                  client, self, groupId(), calls.incrementAndGet(), APPEND_TIMEOUT_MS, 1))
          .thenApply(reply -> stateMachine.snapshotIndex());
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  private void snapshotIfChanged() {
    if (stateMachine.changedSinceSnapshot()) {
      takeSnapshot()
          .exceptionally(
              e -> {
                LOG.warn(
                    "no snapshot of the metadata could be taken; the next try is in {} ms",
                    config.snapshotIntervalMs(),
                    e);
                return -1L;
              });
    }
  }

  @Override
  public void leaderChanged(int nodeId) {
    leader = nodeId;
  }

  @Override
  public void leaderReady() {
    ready.complete(null);
  }

  @Override
  public void failed(String what, Throwable cause) {
    if (closing) {
      return;
    }
    synchronized (startLock) {
      if (failure != null) {
        return;
      }
      failure = cause;
    }
    leader = -1;
    if (!ready.completeExceptionally(cause)) {
      LOG.error("{}", what, cause);
      context.fatal(what + ": " + reason(cause), cause);
    }
  }

  /// Whether it leads and works.
  boolean isHealthy() {
    return failure == null && !closing && ready.isDone() && leader == config.brokerId();
  }

  /// Why it does not work any more, or null.
  @Nullable String failureMessage() {
    Throwable failed = failure;
    return failed == null ? null : reason(failed);
  }

  void close() {
    closing = true;
    ScheduledFuture<?> task = snapshots;
    if (task != null) {
      task.cancel(false);
    }
    RaftServer running = server;
    server = null;
    if (running != null) {
      try {
        running.close();
      } catch (IOException e) {
        throw new TakhinException(
            ErrorCode.KAFKA_STORAGE_ERROR,
            "the metadata log in " + directory.raft() + " could not be closed: " + e.getMessage(),
            e);
      } finally {
        threads.end();
      }
    }
    leader = -1;
  }

  /// Names what dies in Ratis' threads.
  private final class Threads extends ThreadGroup {
    Threads(String pluginName) {
      super("takhin-" + pluginName);
    }

    /// Ends those that would notice the close only after their next timeout.
    void end() {
      interrupt();
      Thread[] left = new Thread[activeCount() + 8];
      int count = enumerate(left);
      try {
        for (int i = 0; i < count; i++) {
          left[i].join(END_WAIT_MS);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void uncaughtException(Thread thread, Throwable cause) {
      failed("thread " + thread.getName() + " of the metadata quorum died", cause);
    }
  }

  /// For messages.
  Path path() {
    return directory.raft();
  }
}
