import org.jspecify.annotations.NullMarked;

/// Contract tests that every implementation of an extension point must pass, in-memory fakes that
/// pass them too, and [io.takhin.testkit.TestContext]: a kernel whose clocks, threads and services
/// a test controls. For tests only; never on the path of a running broker.
@NullMarked
module io.takhin.testkit {
  requires transitive io.takhin.api;
  requires transitive org.junit.jupiter.api;
  requires org.slf4j;

  exports io.takhin.testkit;
  exports io.takhin.testkit.codec;
  exports io.takhin.testkit.cluster;
  exports io.takhin.testkit.fuzz;
  exports io.takhin.testkit.group;
  exports io.takhin.testkit.metrics;
  exports io.takhin.testkit.partition;
  exports io.takhin.testkit.protocol;
  exports io.takhin.testkit.simulation;
  exports io.takhin.testkit.storage;
  exports io.takhin.testkit.transaction;
}
