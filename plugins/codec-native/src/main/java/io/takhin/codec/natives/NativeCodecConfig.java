package io.takhin.codec.natives;

/// No settings: levels are each library's own default, as in Kafka.
public record NativeCodecConfig() {}
