package io.takhin.kernel.lifecycle;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/// One transition in a flight recording: `jfr print --events takhin.PluginState`.
@Name("takhin.PluginState")
@Label("Plugin State")
@Category("Takhin")
@Description("A plugin went from one state of its lifecycle to the next")
@StackTrace(false)
final class PluginStateEvent extends Event {
  @Label("Plugin")
  @Nullable String plugin;

  @Label("From")
  @Nullable String from;

  @Label("To")
  @Nullable String to;

  @Label("Reason")
  @Nullable String reason;
}
