/// Measures brokers from outside: starts Takhin and Apache Kafka in turn, drives both with the same
/// load, reads what the kernel accounted to the broker's process, and prints ratios.
@NullMarked
package io.takhin.bench;

import org.jspecify.annotations.NullMarked;
