package io.takhin.testkit.simulation;

/// A seed under which something did not hold: names the seed and shows what happened last.
public final class SimulationFailure extends AssertionError {
  private static final long serialVersionUID = 1L;

  SimulationFailure(Simulation simulation, Throwable cause) {
    super(
        "seed "
            + simulation.seed()
            + ", event "
            + simulation.trace().events()
            + ": "
            + cause
            + "\nwhat happened last (µs, event):\n  "
            + String.join("\n  ", simulation.trace().tail()),
        cause);
  }
}
