import org.jspecify.annotations.NullMarked;

/// The contract between Takhin's kernel and its plugins: extension points, the services by which
/// plugins meet, and the values that cross between them. It needs only the JDK; plugins compile
/// against this module alone.
@NullMarked
module io.takhin.api {
  requires static transitive org.jspecify;

  exports io.takhin.api;
  exports io.takhin.api.cluster;
  exports io.takhin.api.codec;
  exports io.takhin.api.config;
  exports io.takhin.api.group;
  exports io.takhin.api.metrics;
  exports io.takhin.api.partition;
  exports io.takhin.api.protocol;
  exports io.takhin.api.record;
  exports io.takhin.api.storage;
  exports io.takhin.api.transaction;
}
