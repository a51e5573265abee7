package io.takhin.api;

/// What a plugin gives to the others, and its lifecycle.
///
/// The kernel calls `start`, `drain`, `close` in this order and at most once each; `close` also
/// after a failed `start`. Services start in the order in which the data flows inwards (storage
/// before partitions before the protocol) and stop in the reverse order.
///
/// Threading: the kernel's main thread, never two of these methods at a time.
/// Blocking: allowed; the kernel logs who takes longer than a second.
/// Buffers: none.
/// Errors: [TakhinException] with a remedy; anything else is a defect of the plugin.
@Api(status = Api.Status.EVOLVING, since = "0.1")
public interface Service extends AutoCloseable {
  /// Begins work: opens files and sockets, recovers state. Returns when the service can be used.
  default void start() {}

  /// Stops taking new work and finishes what is in hand, within the kernel's shutdown time.
  default void drain() {}

  /// Gives everything back. Nothing of the plugin may run afterwards: no thread, no timer, no
  /// callback, or its layer cannot be unloaded.
  @Override
  void close();
}
