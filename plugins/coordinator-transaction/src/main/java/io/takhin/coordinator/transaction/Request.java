package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.coordinator.Now;

/// A request that may have to wait.
abstract class Request {
  final String id;
  final long producerId;
  final short producerEpoch;

  /// Whether it was answered, or something else sees to it.
  boolean done;

  Request(String id, long producerId, short producerEpoch) {
    this.id = id;
    this.producerId = producerId;
    this.producerEpoch = producerEpoch;
  }

  /// Tries; false if it must wait.
  abstract boolean attempt(Now now, Effects out);

  /// Answers with an error.
  abstract void refuse(ErrorCode error, Effects out);
}
