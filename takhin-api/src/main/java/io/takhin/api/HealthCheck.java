package io.takhin.api;

import org.jspecify.annotations.Nullable;

/// One component's part in `/health`.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface HealthCheck {
  /// The component's name in the answer, such as `storage`.
  String name();

  /// The state now.
  ///
  /// Threading: a thread of the health server. Blocking: no; answer from memory. Buffers: none.
  /// Errors: anything thrown counts as [Status#UNHEALTHY] with its message.
  Health check();

  /// How well a component does.
  enum Status {
    /// Works.
    HEALTHY,
    /// Works in part: for instance one of two log directories is offline.
    DEGRADED,
    /// Not ready to serve yet, or no longer.
    UNHEALTHY
  }

  /// The answer of a check.
  ///
  /// @param status how it does
  /// @param message what is wrong and what to do; null when nothing is
  record Health(Status status, @Nullable String message) {
    /// All is well.
    public static Health healthy() {
      return new Health(Status.HEALTHY, null);
    }
  }
}
