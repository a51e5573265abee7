package io.takhin.kernel.lifecycle;

/// Where a plugin stands. The methods of a state are the transitions that it allows, so that an
/// illegal one does not compile:
///
/// ```
/// Discovered ──▶ Resolved ──▶ Created ──▶ Started ──▶ Draining ──▶ Closed ──▶ Unloaded
///     │             │  │         │  │        │            │          ▲           ▲
///     │             │  └─────────┼──┴────────┼────────────┼──────────┘           │
///     ▼             ▼            ▼           ▼            ▼                      │
///     └─────────────┴────────────┴─▶ Failed(at, cause) ◀──┘ ─────────────────────┘
/// ```
///
/// - Discovered: its descriptor was read and its layer stands; no code of it has run.
/// - Resolved: its providers were made and their keys are known.
/// - Created: all its services are made, none has begun.
/// - Started: all its services work.
/// - Draining: takes no new work.
/// - Closed: has given everything back. Reached from Resolved or Created if the kernel stops early
///   or the plugin is not wanted.
/// - Failed: threw at a transition; was closed as far as it had come.
/// - Unloaded: the kernel has let go of it and its classes are gone.
public sealed interface PluginState {

  /// The state's name for logs, REST and events.
  default String label() {
    return getClass().getSimpleName();
  }

  /// A failure at this state; legal from every state in which code of the plugin can run.
  private static Failed fail(PluginState at, Throwable cause) {
    return new Failed(at, cause);
  }

  /// Found, with a layer.
  record Discovered() implements PluginState {
    /// Its providers are known.
    public Resolved resolved() {
      return new Resolved();
    }

    /// Its providers could not be made.
    public Failed failed(Throwable cause) {
      return fail(this, cause);
    }
  }

  /// Known, with its config keys.
  record Resolved() implements PluginState {
    /// Its services are made.
    public Created created() {
      return new Created();
    }

    /// A `create` threw.
    public Failed failed(Throwable cause) {
      return fail(this, cause);
    }

    /// Not wanted, or the kernel stops.
    public Closed closed() {
      return new Closed();
    }
  }

  /// Made.
  record Created() implements PluginState {
    /// Its services work.
    public Started started() {
      return new Started();
    }

    /// A `start` threw.
    public Failed failed(Throwable cause) {
      return fail(this, cause);
    }

    /// The kernel stops before it started.
    public Closed closed() {
      return new Closed();
    }
  }

  /// At work.
  record Started() implements PluginState {
    /// Takes no new work.
    public Draining draining() {
      return new Draining();
    }
  }

  /// Finishing what is in hand.
  record Draining() implements PluginState {
    /// Has given everything back.
    public Closed closed() {
      return new Closed();
    }

    /// A `drain` or `close` threw; the rest was closed nevertheless.
    public Failed failed(Throwable cause) {
      return fail(this, cause);
    }
  }

  /// Gone but for its classes.
  record Closed() implements PluginState {
    /// Its classes are gone too.
    public Unloaded unloaded() {
      return new Unloaded();
    }
  }

  /// Broken.
  ///
  /// @param at where it stood
  /// @param cause what was thrown
  record Failed(PluginState at, Throwable cause) implements PluginState {
    /// Its classes are gone.
    public Unloaded unloaded() {
      return new Unloaded();
    }
  }

  /// The end.
  record Unloaded() implements PluginState {}
}
