package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/// Something to do behind a shard's gate.
abstract class Work<M, E> {
  /// Whether it needs a moment in which no write is under way; what comes after it then waits
  /// behind it.
  final boolean whenQuiet;

  Work(boolean whenQuiet) {
    this.whenQuiet = whenQuiet;
  }

  /// Does it.
  abstract void run(M machine, Now now, E out);

  /// Answers when it is not done.
  abstract void refuse(ErrorCode error, E out);

  /// Whether it is never refused and never waits behind other work: the outcome of a write, and the
  /// end of the shard.
  boolean first() {
    return false;
  }

  /// Work that nobody waits for.
  static class Task<M, E> extends Work<M, E> {
    private final Shard.Input<M, E> input;

    Task(Shard.Input<M, E> input, boolean whenQuiet) {
      super(whenQuiet);
      this.input = input;
    }

    @Override
    final void run(M machine, Now now, E out) {
      input.run(machine, now, out);
    }

    @Override
    final void refuse(ErrorCode error, E out) {}
  }

  /// Work with an answer.
  static final class Asked<M, E extends ShardEffects<?, E>, T> extends Work<M, E> {
    private final Shard.Question<M, E, T> question;
    private final CompletableFuture<T> to;
    private final Function<ErrorCode, T> refused;

    Asked(
        Shard.Question<M, E, T> question,
        CompletableFuture<T> to,
        Function<ErrorCode, T> refused,
        boolean whenQuiet) {
      super(whenQuiet);
      this.question = question;
      this.to = to;
      this.refused = refused;
    }

    @Override
    void run(M machine, Now now, E out) {
      question.put(machine, now, to, out);
    }

    @Override
    void refuse(ErrorCode error, E out) {
      out.answer(to, refused.apply(error));
    }
  }
}
