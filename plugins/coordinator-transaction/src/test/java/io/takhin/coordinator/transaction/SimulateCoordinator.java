package io.takhin.coordinator.transaction;

/// Runs seeds of C6: `SimulateCoordinator --seed N`, or `SimulateCoordinator COUNT [FIRST]`.
final class SimulateCoordinator {
  private SimulateCoordinator() {}

  public static void main(String[] args) {
    boolean twice = args.length == 2 && args[0].equals("--seed");
    if (!twice && args.length != 1 && args.length != 2) {
      throw new IllegalArgumentException("--seed N, or COUNT [FIRST]");
    }
    long count = twice ? 1 : Long.parseLong(args[0]);
    long first = args.length == 2 ? Long.parseLong(args[1]) : 1;
    long committed = 0;
    long aborted = 0;
    int failed = 0;
    for (long seed = first; seed < first + count; seed++) {
      try {
        TransactionSimulationTest.Outcome outcome = TransactionSimulationTest.run(seed);
        if (twice && !outcome.equals(TransactionSimulationTest.run(seed))) {
          throw new AssertionError("seed " + seed + " does not replay");
        }
        committed += outcome.committed();
        aborted += outcome.aborted();
        if (count == 1 || seed % 10_000 == 0) {
          System.out.println("seed " + seed + " holds");
        }
      } catch (RuntimeException | AssertionError e) {
        failed++;
        String message = "seed " + seed + ": " + e.getMessage();
        System.out.println(
            "FAILED " + (count == 1 ? message : message.lines().findFirst().orElse("")));
      }
    }
    System.out.println(
        count
            + " seeds from "
            + first
            + ", "
            + failed
            + " failed; "
            + committed
            + " transactions committed, "
            + aborted
            + " aborted");
    System.exit(failed == 0 ? 0 : 1);
  }
}
