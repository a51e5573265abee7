package io.takhin.api;

import org.jspecify.annotations.Nullable;

/// A failure that has a Kafka error code: the one exception type that crosses the API.
///
/// Expected outcomes are results, not exceptions. The message says what was wrong, where, and what
/// to do about it; it may reach clients, so it holds no secrets.
@Api(status = Api.Status.STABLE, since = "0.1")
public final class TakhinException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  /// A failure with no cause below it.
  public TakhinException(ErrorCode code, String message) {
    this(code, message, null);
  }

  /// A failure that something else caused.
  public TakhinException(ErrorCode code, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.code = code;
  }

  /// What goes over the wire.
  public ErrorCode code() {
    return code;
  }
}
