/// Stage 5 of 7, log, for tests: the contract of the extension point `storage`
/// ([LogStorageContract]), an in-memory fake that keeps it ([InMemoryLogStorage]), and what tests
/// of logs need again and again: batches, captured appends and listeners, and configs.
package io.takhin.testkit.storage;
