package io.takhin.protocol.kafka.wire;

/// A frame that is not what it claims to be. The connection is closed, as Kafka does. Without a
/// stack trace, for clients can cause it at will.
public final class MalformedRequestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says what was wrong; no bytes of the frame belong into the message.
  public MalformedRequestException(String message) {
    super(message, null, false, false);
  }
}
