package io.takhin.testkit.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/// Threads and timers that end together, without a word: a broker that is killed.
///
/// Threading: the simulation's.
public final class SimulatedProcess {
  private final Simulation simulation;
  private final String name;
  private final List<Runnable> afterDeath = new ArrayList<>();
  private boolean alive = true;

  SimulatedProcess(Simulation simulation, String name) {
    this.simulation = simulation;
    this.name = name;
  }

  /// Its name.
  public String name() {
    return name;
  }

  /// Whether it runs.
  public boolean alive() {
    return alive;
  }

  /// Runs `action` when it dies: connections break, locks of files are given up.
  public void afterDeath(Runnable action) {
    afterDeath.add(action);
  }

  /// Ends it here and now. Its threads never run again, wherever they were.
  public void kill() {
    if (alive) {
      alive = false;
      simulation.forget(this);
      simulation.note(name + " is killed");
      List.copyOf(afterDeath).forEach(Runnable::run);
    }
  }

  /// Ends it on one of its own threads, which does not return: a crash in the middle of something.
  public void die() {
    kill();
    while (true) {
      LockSupport.park(this);
    }
  }
}
