package io.takhin.coordinator;

import io.takhin.api.ErrorCode;

/// What a client makes of a record that could not be written.
public final class AppendErrors {
  private AppendErrors() {}

  /// The outcome of an append in the words of coordinators: the client looks for the coordinator
  /// again, tries again, or gives up where neither would help.
  public static ErrorCode told(ErrorCode append) {
    return switch (append) {
      case NONE -> ErrorCode.NONE;
      case UNKNOWN_TOPIC_OR_PARTITION,
          NOT_ENOUGH_REPLICAS,
          NOT_ENOUGH_REPLICAS_AFTER_APPEND,
          REQUEST_TIMED_OUT ->
          ErrorCode.COORDINATOR_NOT_AVAILABLE;
      case NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, KAFKA_STORAGE_ERROR, NOT_COORDINATOR ->
          ErrorCode.NOT_COORDINATOR;
      default -> ErrorCode.UNKNOWN_SERVER_ERROR;
    };
  }
}
