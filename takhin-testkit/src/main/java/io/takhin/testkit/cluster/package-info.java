/// The extension point `cluster` for tests: an in-memory cluster for those who need one, and the
/// contract tests for those who write one.
package io.takhin.testkit.cluster;
