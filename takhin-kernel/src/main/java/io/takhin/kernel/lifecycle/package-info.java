/// The states of a plugin, and the kernel as a plugin sees it.
///
/// Owns [io.takhin.kernel.lifecycle.PluginState] and everything that a plugin took from the kernel:
/// threads, tasks, metrics, health checks, so that closing it takes all of that back. Must never
/// call a plugin's service on another thread than the main one.
///
/// @see "docs/adr/0004-lifecycle.md"
package io.takhin.kernel.lifecycle;
