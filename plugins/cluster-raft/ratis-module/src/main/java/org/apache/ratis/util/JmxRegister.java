package org.apache.ratis.util;

import java.util.function.Supplier;

/// What Ratis would show over JMX: nothing. Takes the place of Ratis' own class of this name, with
/// its methods.
///
/// The original makes the JVM's server of beans, with all its beans and their descriptions, while
/// the broker waits for the metadata log. What it would show, the plugin's metrics and the health
/// check say.
///
/// Threading: any thread.
///
/// @see "docs/adr/0167-less-work-at-the-start.md"
public class JmxRegister {
  /// With nothing registered.
  public JmxRegister() {}

  /// Registers nothing.
  ///
  /// @return null: under none of the names
  public String register(Object bean, Iterable<Supplier<String>> names) {
    return null;
  }

  /// There is nothing to take back.
  ///
  /// @return false
  public boolean unregister() {
    return false;
  }
}
