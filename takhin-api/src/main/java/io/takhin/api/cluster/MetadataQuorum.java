package io.takhin.api.cluster;

import io.takhin.api.Api;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/// The replicated log of metadata records.
///
/// Whoever wants a change decides from an image what records it takes, and appends them on the
/// condition that the image is still the newest: between brokers, a lost race shows as
/// [Outcome.Conflict] and is decided again from the newer image. So the deciding code is a function
/// of image and request, the same on one broker and on many.
///
/// Threading: any thread. Blocking: no. Buffers: none. Errors: the future fails with
/// TakhinException NOT_CONTROLLER if no leader could be reached, REQUEST_TIMED_OUT if the outcome
/// is unknown.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface MetadataQuorum {
  /// The newest image known here.
  MetadataImage image();

  /// Appends the records if the log still ends at `expectedOffset`. The future completes after this
  /// node has applied them.
  CompletableFuture<Outcome> append(long expectedOffset, List<MetadataRecord> records);

  /// Who leads, and how far it is.
  QuorumState state();

  /// What became of an append.
  sealed interface Outcome {
    /// The records are in the log for good.
    record Committed(long endOffset) implements Outcome {}

    /// The log had grown: nothing was appended.
    record Conflict(long endOffset) implements Outcome {}
  }

  /// The quorum as seen from here.
  ///
  /// @param leader node id, -1 for none
  /// @param epoch the quorum epoch (Raft's term)
  /// @param endOffset end of the applied log
  /// @param voters node ids
  record QuorumState(int leader, int epoch, long endOffset, List<Integer> voters) {}
}
