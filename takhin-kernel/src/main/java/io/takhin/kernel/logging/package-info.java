/// Logs of the kernel and of all plugins, through SLF4J and logback in the boot layer.
///
/// Owns logback's configuration, which comes from ours alone: a `logback.xml` is not looked for.
/// java.util.logging and System.Logger arrive here too. Must never write anything but whole lines.
package io.takhin.kernel.logging;
