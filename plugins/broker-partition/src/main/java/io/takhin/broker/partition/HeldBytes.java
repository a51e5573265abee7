package io.takhin.broker.partition;

/// The bytes that are visible, but not to read_committed readers yet: when their transaction ends,
/// those who wait are told of them again. Readers of both kinds wait together, so that who has read
/// them already is woken for nothing then.
///
/// Threading: any thread; costs a volatile read while no transaction is open.
final class HeldBytes {
  private volatile boolean any;
  // Guarded by this.
  private long held;
  private long stable;

  /// The high watermark rose.
  ///
  /// @param bytes that this made visible
  /// @param lastStableOffset now
  /// @param highWatermark now, or before
  /// @return the bytes to tell of
  long advanced(long bytes, long lastStableOffset, long highWatermark) {
    boolean holds = lastStableOffset < highWatermark;
    if (!holds && !any) {
      return bytes;
    }
    synchronized (this) {
      long told = bytes;
      if (lastStableOffset > stable) {
        stable = lastStableOffset;
        told += held;
      }
      held = holds ? held + bytes : 0;
      any = holds;
      return told;
    }
  }
}
