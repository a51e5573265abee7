package io.takhin.coordinator;

/// The time at which an input arrives, as an argument: a state machine reads no clock.
///
/// @param monotonicMs for sessions and timeouts; arbitrary origin, never goes back
/// @param wallMs for records and the expiry of what they hold, since the epoch
public record Now(long monotonicMs, long wallMs) {}
