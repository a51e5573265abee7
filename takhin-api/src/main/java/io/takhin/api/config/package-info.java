/// Annotations for config records. A plugin's config is a record; each component names its key,
/// default and bounds, and the kernel binds, checks and documents it.
///
/// Components may be `boolean`, `int`, `long`, `double`, `String`, `java.nio.file.Path`, an enum
/// (spelled in lower case with dashes), or a `List` of `String` or `Integer`.
/// An empty path is the empty string, not the working directory; a relative one starts there.
/// A compact constructor may throw IllegalArgumentException for bad combinations; the kernel
/// reports it with everything else that is wrong.
package io.takhin.api.config;
