package io.takhin.cluster.raft;

import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataListener;
import io.takhin.api.cluster.MetadataQuorum.Outcome;
import io.takhin.api.cluster.MetadataRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.LongConsumer;
import org.apache.ratis.io.MD5Hash;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.SimpleStateMachineStorage;
import org.apache.ratis.statemachine.impl.SingleFileSnapshotInfo;
import org.apache.ratis.thirdparty.com.google.protobuf.ByteString;
import org.apache.ratis.util.MD5FileUtil;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What Ratis applies its log to: the image.
///
/// An entry of the log is an append on a condition. It takes effect if the image is at the offset
/// it expects, and else nothing happens: since every voter applies the same log, all of them come
/// to the same verdict, and the one who proposed hears it as the answer.
///
/// ```
///              entry at index i of the log
///                        |
///      expectedOffset == image.offset ?
///            | yes                  | no
///   image.apply(records)         Conflict(image.offset)
///   tell listeners
///   Committed(image.offset)
/// ```
///
/// Threading: Ratis' updater thread applies, takes snapshots and tells listeners, under `lock`, so
/// that a new listener neither misses a change nor sees one twice. The image is read from any
/// thread.
///
/// Errors: whatever goes wrong while applying ends in [Events#failed]; from then on nothing is
/// applied any more.
final class MetadataStateMachine extends BaseStateMachine {
  private static final Logger LOG = LoggerFactory.getLogger(MetadataStateMachine.class);

  /// What the quorum wants to hear.
  interface Events {
    /// The leader is known, and may be this node.
    void leaderChanged(int nodeId);

    /// This node leads, and has applied all that was in the log when it began to.
    void leaderReady();

    /// Ratis or a listener cannot go on.
    void failed(String what, Throwable cause);
  }

  private final Events events;
  private final LongConsumer applyNanos;
  private final SimpleStateMachineStorage storage = new SimpleStateMachineStorage();
  private final Object lock = new Object();
  private final List<MetadataListener> listeners = new ArrayList<>(); // guarded by lock
  private volatile MetadataImage image = MetadataImage.EMPTY;
  private volatile @Nullable Throwable failure;
  private volatile long snapshotIndex = -1;
  private volatile long snapshotOffset;

  MetadataStateMachine(Events events, LongConsumer applyNanos) {
    this.events = events;
    this.applyNanos = applyNanos;
  }

  MetadataImage image() {
    return image;
  }

  /// Index in Ratis' log of the newest snapshot, -1 for none.
  long snapshotIndex() {
    return snapshotIndex;
  }

  /// Whether the image has changed since the newest snapshot.
  boolean changedSinceSnapshot() {
    return image.offset() != snapshotOffset;
  }

  void subscribe(MetadataListener listener) {
    synchronized (lock) {
      listener.changed(image, MetadataImage.EMPTY, List.of());
      listeners.add(listener);
    }
  }

  @Override
  public void initialize(RaftServer server, RaftGroupId group, RaftStorage raftStorage)
      throws IOException {
    super.initialize(server, group, raftStorage);
    storage.init(raftStorage);
    reinitialize();
  }

  @Override
  public void reinitialize() throws IOException {
    SingleFileSnapshotInfo snapshot = storage.loadLatestSnapshot();
    if (snapshot == null) {
      return;
    }
    Path file = snapshot.getFile().getPath();
    MetadataImage restored = SnapshotFile.read(file);
    synchronized (lock) {
      MetadataImage before = image;
      image = restored;
      setLastAppliedTermIndex(snapshot.getTermIndex());
      snapshotIndex = snapshot.getIndex();
      snapshotOffset = restored.offset();
      // Whoever subscribed before the start, or a follower that was sent a snapshot, sees one step.
      tell(restored, before, List.of());
    }
    LOG.info("metadata at offset {} restored from {}", restored.offset(), file);
  }

  @Override
  public SimpleStateMachineStorage getStateMachineStorage() {
    return storage;
  }

  @Override
  public SingleFileSnapshotInfo getLatestSnapshot() {
    return storage.getLatestSnapshot();
  }

  @Override
  public long takeSnapshot() throws IOException {
    TermIndex last = getLastAppliedTermIndex();
    if (last == null || last.getIndex() < 0 || failure != null) {
      return -1;
    }
    MetadataImage now = image;
    Path file = storage.getSnapshotFile(last.getTerm(), last.getIndex()).toPath();
    SnapshotFile.write(file, now);
    MD5Hash digest = digest(file);
    storage.updateLatestSnapshot(new SingleFileSnapshotInfo(new FileInfo(file, digest), last));
    snapshotIndex = last.getIndex();
    snapshotOffset = now.offset();
    LOG.info("metadata snapshot at offset {} taken to {}", now.offset(), file);
    return last.getIndex();
  }

  /// Writes the digest beside the snapshot. Ratis tries again later after an IOException; after
  /// anything else it closes the log without a word.
  private static MD5Hash digest(Path snapshot) throws IOException {
    try {
      return MD5FileUtil.computeAndSaveMd5ForFile(snapshot.toFile());
    } catch (IllegalStateException e) {
      throw new IOException("the digest of " + snapshot + " could not be written", e);
    }
  }

  @Override
  public CompletableFuture<Message> applyTransaction(TransactionContext transaction) {
    long started = System.nanoTime();
    LogEntryProto entry = transaction.getLogEntry();
    try {
      Throwable failed = failure;
      if (failed != null) {
        throw new IllegalStateException("the metadata could not be applied any further", failed);
      }
      ByteBuffer data = entry.getStateMachineLogEntry().getLogData().asReadOnlyByteBuffer();
      Outcome outcome = apply(MetadataCodec.decodeAppend(data));
      updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
      return CompletableFuture.completedFuture(encode(outcome));
    } catch (RuntimeException | Error e) {
      fail("entry %d of the metadata log could not be applied".formatted(entry.getIndex()), e);
      return CompletableFuture.failedFuture(e);
    } finally {
      applyNanos.accept(System.nanoTime() - started);
    }
  }

  private Outcome apply(MetadataCodec.Append append) {
    synchronized (lock) {
      MetadataImage before = image;
      if (before.offset() != append.expectedOffset()) {
        return new Outcome.Conflict(before.offset());
      }
      List<MetadataRecord> records = List.copyOf(append.records());
      MetadataImage after = before.apply(records);
      image = after;
      tell(after, before, records);
      return new Outcome.Committed(after.offset());
    }
  }

  private void tell(MetadataImage after, MetadataImage before, List<MetadataRecord> records) {
    for (MetadataListener listener : listeners) {
      listener.changed(after, before, records);
    }
  }

  @Override
  public void notifyTermIndexUpdated(long term, long index) {
    updateLastAppliedTermIndex(term, index);
  }

  @Override
  public void notifyLeaderChanged(RaftGroupMemberId self, RaftPeerId leader) {
    events.leaderChanged(leader == null ? -1 : RaftQuorum.nodeId(leader));
  }

  @Override
  public void notifyLeaderReady() {
    events.leaderReady();
  }

  @Override
  public void notifyLogFailed(Throwable cause, LogEntryProto entry) {
    fail("the metadata log could not be written", cause);
  }

  @Override
  public void notifyServerShutdown(RoleInfoProto role, boolean allServer) {
    Throwable cause = failure;
    events.failed(
        "the metadata quorum has shut itself down",
        cause != null ? cause : new IllegalStateException("see the log above for Ratis' reason"));
  }

  private void fail(String what, Throwable cause) {
    if (failure == null) {
      failure = cause;
    }
    events.failed(what, cause);
  }

  /// The answer to an append: a byte, 0 for committed and 1 for conflict, and the end offset.
  private static Message encode(Outcome outcome) {
    ByteBuffer answer = ByteBuffer.allocate(9);
    switch (outcome) {
      case Outcome.Committed(long end) -> answer.put((byte) 0).putLong(end);
      case Outcome.Conflict(long end) -> answer.put((byte) 1).putLong(end);
    }
    return Message.valueOf(ByteString.copyFrom(answer.flip()));
  }

  static Outcome decode(Message message) {
    ByteBuffer answer = message.getContent().asReadOnlyByteBuffer();
    byte kind = answer.get();
    long end = answer.getLong();
    return kind == 0 ? new Outcome.Committed(end) : new Outcome.Conflict(end);
  }
}
