/// Finds plugin directories and builds one module layer for each, or refuses it with a remedy.
///
/// Owns descriptors, layers and the proof that a layer is gone. Must never run a plugin's code, and
/// never let one bad directory stop the search: all refusals are reported together. Runs on the
/// main thread, except that the leak search may run wherever a plugin is unloaded.
///
/// @see "docs/adr/0001-parent-first-layers.md"
package io.takhin.kernel.layer;
