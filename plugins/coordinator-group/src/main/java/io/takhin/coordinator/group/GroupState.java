package io.takhin.coordinator.group;

/// The states of a group.
///
/// ```
///            a member joins                     all are in, or time is up
///   Empty ------------------> PreparingRebalance -----------> CompletingRebalance
///     ^                        |      ^      ^                      |      |
///     |  nobody is left when   |      |      +----------------------+      |
///     +--the barrier falls-----+      |   a member joins anew, leaves,     |
///     |                               |   dies, or does not sync           |
///     |                               |                                    |
///     |                               | a member joins, leaves or dies;    | the assignment
///     |                               | the leader rejoins                 | is in the log
///     |                               +------------- Stable <--------------+
///     |  deleted, or its last offset expired
///     +--------------------------------------> Dead
/// ```
///
/// A Dead group is in no map: only a thread that looked it up before can meet it.
enum GroupState {
  /// No members; there may be offsets.
  EMPTY("Empty"),
  /// Waiting for members to join the next generation.
  PREPARING_REBALANCE("PreparingRebalance"),
  /// The generation is fixed; waiting for the leader's assignment.
  COMPLETING_REBALANCE("CompletingRebalance"),
  /// Everybody has or can get an assignment.
  STABLE("Stable"),
  /// Gone.
  DEAD("Dead");

  private static final GroupState[] VALUES = values();

  private final String title;

  GroupState(String title) {
    this.title = title;
  }

  /// As DescribeGroups and ListGroups spell it.
  String title() {
    return title;
  }

  /// The state of an ordinal.
  static GroupState of(int ordinal) {
    return VALUES[ordinal];
  }
}
