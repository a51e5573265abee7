package io.takhin.coordinator;

import io.takhin.api.ErrorCode;

/// What one partition of an internal topic means: inputs and the time go in, effects come out, and
/// the same class replays the records that it once asked to write. It does no I/O, reads no clock,
/// starts no thread and never completes a future: the [Shard] does that in production, a simulation
/// in the tests.
///
/// Threads: one at a time; the thread changes. What others may read meanwhile is the machine's own
/// matter.
///
/// @param <R> records of the topic
/// @param <E> effects
public interface StateMachine<R, E> {
  /// Takes a record of the log, oldest first, before anything else happens.
  void replay(R record);

  /// Takes a record of a transaction, whose end is yet to come in the log.
  default void replayTransactional(long producerId, R record) {
    replay(record);
  }

  /// Takes the end of a transaction in the log.
  default void replayMarker(long producerId, boolean commit) {}

  /// The log is replayed to its end: time begins to run.
  void loaded(Now now, E out);

  /// Another broker is in charge, or none: everybody who waits is told. Writes under way still
  /// settle.
  void resign(ErrorCode error, E out);

  /// When [#expire] must be called at the latest; [Deadlines#NEVER] if nothing is due ever.
  long nextDeadlineMs();

  /// Does what is due.
  void expire(Now now, E out);
}
