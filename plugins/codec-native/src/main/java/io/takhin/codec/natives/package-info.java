/// Beside stage 5 of 7, log: the codecs of record batches.
///
/// Owns the native contexts of zstd and zlib and the framings of gzip, snappy and lz4. It must
/// never believe a length that the data claims, hand out bytes that are not the caller's, or throw
/// anything but TakhinException for whatever it is fed. It has no thread of its own: every call
/// runs on the caller's, which for real batches is a worker and never an event loop.
///
/// The package would be `io.takhin.codec.native` by the rule that names follow the folder, but
/// `native` is a keyword of Java and cannot stand in a name.
package io.takhin.codec.natives;
