/// The contract of extension point `broker`, and a fake: partitions over logs in memory that follow
/// a cluster in memory.
package io.takhin.testkit.partition;
