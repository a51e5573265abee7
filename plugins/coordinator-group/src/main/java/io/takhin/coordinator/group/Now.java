package io.takhin.coordinator.group;

/// The time at which an input arrives, as an argument: the state machine reads no clock.
///
/// @param monotonicMs for sessions and timeouts; arbitrary origin, never goes back
/// @param wallMs for records and the expiry of offsets, since the epoch
record Now(long monotonicMs, long wallMs) {}
