package io.takhin.api.codec;

import io.takhin.api.Api;
import org.jspecify.annotations.Nullable;

/// The five codecs of Kafka's record batch, by their number in the batch's attributes (bits 0-2).
@Api(status = Api.Status.STABLE, since = "0.1")
public enum CompressionType {
  /// Records as they are.
  NONE,
  /// RFC 1952.
  GZIP,
  /// Snappy in the framing of the Java library (`\x82SNAPPY\0`), or one raw block.
  SNAPPY,
  /// LZ4 frame format.
  LZ4,
  /// RFC 8878; Produce version 7 and later (KIP-110).
  ZSTD;

  private static final CompressionType[] BY_ID = values();

  /// The number in the batch's attributes.
  public int id() {
    return ordinal();
  }

  /// The name in `compression.type`: `none`, `gzip`, `snappy`, `lz4`, `zstd`.
  public String configName() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  /// The codec of a number, or null for 5 to 7, which Kafka does not use.
  public static @Nullable CompressionType of(int id) {
    return id >= 0 && id < BY_ID.length ? BY_ID[id] : null;
  }
}
