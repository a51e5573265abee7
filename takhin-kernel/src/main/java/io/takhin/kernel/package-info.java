/// The launcher and the one object that knows everything: [Main] reads the command line,
/// [Kernel] leads the plugins from discovery to the end.
///
/// Owns the order of start and stop, and the exit code. Must never know what a plugin does: an
/// extension point is a type, a name and a place in the order. Plugins are called on the main
/// thread alone, one at a time.
package io.takhin.kernel;
