/// Targets of fuzzing and the inputs that were found: what no input may make them do.
package io.takhin.testkit.fuzz;
