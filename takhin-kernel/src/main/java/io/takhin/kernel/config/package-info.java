/// Layered configuration: YAML, then environment, then flags, bound to the config records of the
/// kernel and of the plugins present.
///
/// Owns the keys, their sources and every message about them. Must never stop at the first problem:
/// all are collected and reported together. Runs on the main thread, once, before plugins are made.
///
/// @see "docs/adr/0002-configuration.md"
package io.takhin.kernel.config;
