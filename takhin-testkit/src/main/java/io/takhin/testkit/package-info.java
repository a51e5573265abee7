/// What tests of every extension point need: [TestContext], the kernel of a test; [TestTime], its
/// clocks and the tasks that wait on them; [TestMetrics], what a plugin counted.
///
/// Owns no contract: those stand in one sub-package for each extension point, beside their fakes.
/// It must never be on the path of a running broker. Simulated tasks run on the thread that moves
/// the time, real ones on threads that [TestContext#close] ends.
package io.takhin.testkit;
