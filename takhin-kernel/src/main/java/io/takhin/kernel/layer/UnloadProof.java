package io.takhin.kernel.layer;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Proves that a layer's classes are gone, or says who holds them.
///
/// It holds the layer only weakly; its maker must let go of every strong reference, its own local
/// variables included, before [#await].
public final class UnloadProof {
  private final String plugin;
  private final Set<String> modules;
  private final WeakReference<ClassLoader> loader;

  /// Watches a layer.
  public UnloadProof(String plugin, PluginLayer layer) {
    this.plugin = plugin;
    this.modules = layer.modules();
    this.loader = new WeakReference<>(layer.loader());
  }

  /// Collects garbage until the loader is gone or the time is over.
  ///
  /// @return whether it is gone
  public boolean await(long timeoutMs) throws InterruptedException {
    long deadline = System.nanoTime() + timeoutMs * 1_000_000L;
    for (long pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
      System.gc();
      if (loader.refersTo(null)) {
        return true;
      }
      if (System.nanoTime() - deadline >= 0) {
        return false;
      }
      Thread.sleep(pauseMs);
    }
  }

  /// The threads that keep the layer alive, each with why; empty if it is something else, such as
  /// a static field or a listener in another plugin.
  public List<String> holders() {
    List<String> holders = new ArrayList<>();
    ClassLoader watched = loader.get();
    if (watched == null) {
      return holders;
    }
    for (Map.Entry<Thread, StackTraceElement[]> entry : Thread.getAllStackTraces().entrySet()) {
      Thread thread = entry.getKey();
      if (thread == Thread.currentThread()) {
        continue;
      }
      if (thread.getContextClassLoader() == watched) {
        holders.add(thread.getName() + " (its context class loader is the plugin's)");
      } else if (thread.getClass().getClassLoader() == watched) {
        holders.add(thread.getName() + " (its class is the plugin's)");
      } else {
        for (StackTraceElement frame : entry.getValue()) {
          if (frame.getModuleName() != null && modules.contains(frame.getModuleName())) {
            holders.add(thread.getName() + " (it runs " + frame + ")");
            break;
          }
        }
      }
    }
    return holders;
  }

  /// The outcome in one line for the log.
  public String verdict(boolean gone) {
    if (gone) {
      return "plugin " + plugin + " is unloaded: its classes are gone";
    }
    List<String> holders = holders();
    return "plugin "
        + plugin
        + " is closed but its classes stay in memory; "
        + (holders.isEmpty()
            ? "no thread keeps them: look for listeners, thread locals or statics outside it"
            : "kept by " + String.join("; ", holders));
  }
}
