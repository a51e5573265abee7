package io.takhin.bench;

import io.takhin.bench.Connections.Connection;
import java.io.IOException;
import java.nio.ByteBuffer;

/// A consumer on a connection of its own, beside a paced load and on its thread.
interface Beside {
  /// Sends the first request.
  void begin(Connection connection) throws IOException;

  /// Takes an answer.
  ///
  /// @param start when the load's first request was due, in nanoseconds
  /// @param interval from one request of the load to the next
  void answer(Connection connection, ByteBuffer body, long start, long interval) throws IOException;

  /// Called often, for what is to be done at its time.
  default void tick(Connection connection) throws IOException {}

  /// Whether the load may end now that all its requests are answered.
  boolean isDone(long requests);
}
