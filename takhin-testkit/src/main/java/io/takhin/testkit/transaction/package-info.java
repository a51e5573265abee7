/// A transaction coordinator in memory, and what every one does.
package io.takhin.testkit.transaction;
