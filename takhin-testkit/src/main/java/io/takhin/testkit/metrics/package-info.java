/// What every exporter of metrics does, and one that exports to memory.
package io.takhin.testkit.metrics;
