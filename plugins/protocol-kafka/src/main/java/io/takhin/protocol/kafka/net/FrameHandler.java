package io.takhin.protocol.kafka.net;

import io.netty.buffer.ByteBuf;
import java.nio.ByteBuffer;

/// What a connection gives its frames to. Threading: the connection's loop. Blocking: never.
public interface FrameHandler {
  /// A whole request, without its length.
  ///
  /// Buffers: `view` shows all of `frame` and is valid during the call; whoever needs the bytes
  /// longer retains `frame`, and may go on using slices of the view until it is released.
  /// Errors: [io.takhin.protocol.kafka.wire.MalformedRequestException] closes the connection.
  void frame(Connection connection, ByteBuf frame, ByteBuffer view, int from, int until);

  /// The connection is gone: forget what waits for it.
  void closed(Connection connection);

  /// The server stops: answer what waits on this connection now.
  void draining(Connection connection);
}
