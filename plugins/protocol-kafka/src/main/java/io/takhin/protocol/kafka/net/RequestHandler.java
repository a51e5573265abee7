package io.takhin.protocol.kafka.net;

import io.takhin.protocol.kafka.wire.FrameReader;

/// Serves one API by reading its requests in place. Threading: the connection's loop; one object
/// serves all loops. Blocking: never.
@FunctionalInterface
public interface RequestHandler {
  /// Handles one request, or leaves it, untouched, to the message classes.
  ///
  /// Buffers: the reader is valid during the call. Errors:
  /// [io.takhin.protocol.kafka.wire.MalformedRequestException] closes the connection.
  ///
  /// @param in stands after the header
  /// @param requestBytes size of the frame
  /// @return whether it was taken; if not, nothing has happened
  boolean handle(
      Connection connection, FrameReader in, short version, int correlationId, int requestBytes);
}
