/// The contract of group coordinators, and one in memory for tests of what stands above them.
package io.takhin.testkit.group;
