package io.takhin.coordinator.transaction;

import io.takhin.api.ErrorCode;
import io.takhin.api.transaction.TransactionCoordinator.InitResult;
import io.takhin.api.transaction.TransactionCoordinator.TxnPartition;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// A transactional producer: begins, writes to some partitions, ends, over and over; repeats what
/// is not answered in time. It may stall, or be replaced by a new one while it lives on.
final class SimulatedClient {
  private static final int REQUEST_TIMEOUT_MS = 300;

  private final Simulation world;
  private final Map<String, Boolean> told;
  private final String id;
  private final String name;
  private final boolean second;
  private InitResult as = new InitResult(ErrorCode.NONE, -1, (short) -1);
  private int transactions;
  private int step;
  private final Map<String, SimulatedClient> newest;

  /// A producer of a generation.
  ///
  /// @param newest by id, who was made last
  /// @param told takes what clients were told: whether a transaction was committed
  SimulatedClient(
      Simulation world,
      Map<String, SimulatedClient> newest,
      Map<String, Boolean> told,
      String id,
      String name,
      boolean second) {
    this.world = world;
    this.newest = newest;
    this.told = told;
    this.id = id;
    this.name = name;
    this.second = second;
  }

  private interface Attempt {
    void go();
  }

  /// Runs an attempt now and whenever it got no answer for a while, until the step is over.
  private void step(Attempt attempt) {
    step++;
    attempt(step, attempt);
  }

  private void attempt(int number, Attempt attempt) {
    if (step == number) {
      attempt.go();
      world.after(REQUEST_TIMEOUT_MS, () -> attempt(number, attempt));
    }
  }

  /// Takes the first answer of a step.
  private <T> Consumer<T> once(Consumer<T> answered) {
    int number = step;
    return answer -> {
      if (step == number) {
        answered.accept(answer);
      }
    };
  }

  void start() {
    newest.put(id, this);
    step(
        () ->
            world.<InitResult>ask(
                second,
                (machine, now, to, out) ->
                    machine.init(now, id, Simulation.TXN_TIMEOUT_MS, -1, (short) -1, to, out),
                once(this::initialized)));
  }

  private void initialized(InitResult result) {
    if (result.error() == ErrorCode.NONE) {
      as = result;
      begin();
    }
  }

  /// Fenced: it is over, and somebody else goes on, if nobody does yet.
  private void replace() {
    step++;
    if (!world.calm() && newest.get(id) == this) {
      successor();
    }
  }

  private void successor() {
    new SimulatedClient(world, newest, told, id, name + "'", second).start();
  }

  private void begin() {
    if (world.calm()) {
      step++;
      return;
    }
    String transaction = name + "-" + transactions++;
    boolean commit = world.chance(0.7);
    int partitions = 1 + world.random.nextInt(Simulation.PARTITIONS);
    int first = world.random.nextInt(Simulation.PARTITIONS);
    write(transaction, first, partitions, commit);
  }

  private void write(String transaction, int first, int left, boolean commit) {
    if (left == 0) {
      end(transaction, commit);
      return;
    }
    int index = (first + left) % Simulation.PARTITIONS;
    if (!world.calm() && world.chance(0.03)) {
      // Somebody else takes over; this one does not know and goes on.
      if (newest.get(id) == this) {
        successor();
      }
    }
    long pauseMs = !world.calm() && world.chance(0.02) ? 4_000 : 0;
    step++;
    int number = step;
    world.after(
        pauseMs,
        () -> {
          if (step == number) {
            addThenProduce(transaction, first, left, index, commit);
          }
        });
  }

  private void addThenProduce(String transaction, int first, int left, int index, boolean commit) {
    if (second) {
      produce(transaction, first, left, index, commit);
      return;
    }
    step(
        () ->
            world.<ErrorCode>ask(
                false,
                (machine, now, to, out) ->
                    machine.add(
                        now,
                        id,
                        as.producerId(),
                        as.producerEpoch(),
                        List.of(new TxnPartition("orders", index)),
                        to,
                        out),
                once(
                    error -> {
                      if (error == ErrorCode.NONE) {
                        produce(transaction, first, left, index, commit);
                      } else if (fatal(error)) {
                        replace();
                      }
                    })));
  }

  private void produce(String transaction, int first, int left, int index, boolean commit) {
    String write = transaction + "/" + left;
    step(
        () ->
            world.produce(
                second,
                second,
                id,
                as,
                index,
                transaction,
                write,
                once(
                    error -> {
                      if (error == ErrorCode.NONE) {
                        write(transaction, first, left - 1, commit);
                      } else if (error == ErrorCode.TRANSACTION_ABORTABLE) {
                        end(transaction, false);
                      } else if (fatal(error)) {
                        replace();
                      }
                    })));
  }

  private void end(String transaction, boolean commit) {
    step(
        () ->
            world.<InitResult>ask(
                second,
                (machine, now, to, out) ->
                    machine.end(
                        now, id, as.producerId(), as.producerEpoch(), commit, second, to, out),
                once(
                    result -> {
                      if (result.error() == ErrorCode.NONE) {
                        told.put(transaction, commit);
                        as = result;
                        begin();
                      } else if (fatal(result.error())) {
                        replace();
                      }
                    })));
  }

  private static boolean fatal(ErrorCode error) {
    return switch (error) {
      case PRODUCER_FENCED,
          INVALID_PRODUCER_EPOCH,
          INVALID_PRODUCER_ID_MAPPING,
          INVALID_TXN_STATE ->
          true;
      default -> false;
    };
  }
}
