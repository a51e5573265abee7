package io.takhin.broker.partition;

/// The seam where transactions will say how far read_committed may see.
interface OpenTransactions {
  /// No transaction is ever open.
  OpenTransactions NONE = () -> Long.MAX_VALUE;

  /// The first offset of the oldest open transaction; greater than all offsets if none is open.
  long firstOpenOffset();
}
