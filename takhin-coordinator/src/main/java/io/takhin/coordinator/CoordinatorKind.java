package io.takhin.coordinator;

/// What makes a coordinator of groups one of groups: its topic, its machine and its records.
///
/// @param <M> state machines
/// @param <R> records
/// @param <E> effects
public interface CoordinatorKind<M extends StateMachine<R, E>, R, E extends ShardEffects<R, E>> {
  /// Its log.
  InternalTopic.Definition topic();

  /// What it coordinates, in the plural, for the health check's name.
  String name();

  /// The layout of its records.
  RecordCodec<R> codec();

  /// An empty machine for a partition that this broker leads since `leaderEpoch`.
  M machine(int leaderEpoch);

  /// Effects without any, one for each shard.
  E effects();

  /// What a machine holds, for the log line that says that it is loaded: `12 groups`.
  String describe(M machine);

  /// Does what effects ask for beyond writes and answers, after both.
  ///
  /// Threads: the one that holds the shard's gate; must not block.
  default void perform(Shard<M, R, E> shard, E effects) {}
}
