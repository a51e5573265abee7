package io.takhin.coordinator.transaction;

/// The time at which an input arrives, as an argument: the state machine reads no clock.
///
/// @param monotonicMs for timeouts; arbitrary origin, never goes back
/// @param wallMs for records and the expiry of ids, since the epoch
record Now(long monotonicMs, long wallMs) {}
