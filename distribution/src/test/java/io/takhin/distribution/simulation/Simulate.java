package io.takhin.distribution.simulation;

import io.takhin.testkit.simulation.SimulationFailure;

/// Runs seeds: `Simulate --seed N`, or `Simulate COUNT [FIRST]`.
final class Simulate {
  private Simulate() {}

  /// The hash of a seed's events.
  static long hash(long seed) {
    BrokerSimulation simulation = new BrokerSimulation(seed);
    simulation.run();
    return simulation.simulation().trace().hash();
  }

  public static void main(String[] args) {
    long first = 1;
    long count = 1;
    boolean twice = args.length == 2 && args[0].equals("--seed");
    if (twice) {
      first = Long.parseLong(args[1]);
    } else if (args.length == 1 || args.length == 2) {
      count = Long.parseLong(args[0]);
      first = args.length == 2 ? Long.parseLong(args[1]) : 1;
    } else {
      throw new IllegalArgumentException("--seed N, or COUNT [FIRST]");
    }
    int failed = 0;
    for (long seed = first; seed < first + count; seed++) {
      try {
        long hash = hash(seed);
        if (twice && hash != hash(seed)) {
          throw new AssertionError("seed " + seed + " does not replay");
        }
        if (count == 1 || seed % 1_000 == 0) {
          System.out.println("seed " + seed + " holds, hash " + Long.toHexString(hash));
        }
      } catch (SimulationFailure e) {
        failed++;
        System.out.println("FAILED " + firstLine(e));
        if (count == 1) {
          e.printStackTrace(System.out);
        }
      }
    }
    System.out.println(count + " seeds from " + first + ", " + failed + " failed");
    System.exit(failed == 0 ? 0 : 1);
  }

  private static String firstLine(SimulationFailure e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }
}
