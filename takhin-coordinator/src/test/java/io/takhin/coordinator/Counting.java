package io.takhin.coordinator;

import io.takhin.api.ErrorCode;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// The smallest coordinator: named counters, each kept as its last value.
final class Counting
    implements CoordinatorKind<Counting.Machine, Counting.Count, Counting.Effects> {
  static final String TOPIC = "__counters";

  record Count(String name, int value) {}

  static final class Effects extends ShardEffects<Count, Effects> {
    final List<String> errands = new ArrayList<>();
  }

  /// Adds up what it is told, and says so once it cannot be lost.
  static final class Machine implements StateMachine<Count, Effects> {
    final Map<String, Integer> counters = new TreeMap<>();
    final List<String> markers = new ArrayList<>();
    long deadlineMs = Deadlines.NEVER;
    int expiries;
    boolean resigned;

    void add(String name, int more, CompletableFuture<Integer> to, Effects out) {
      int value = counters.merge(name, more, Integer::sum);
      out.errands.add(name);
      out.write(
          List.of(new Count(name, value)),
          (error, now, then) -> then.answer(to, error == ErrorCode.NONE ? value : -error.code()));
    }

    @Override
    public void replay(Count record) {
      counters.put(record.name(), record.value());
    }

    @Override
    public void replayMarker(long producerId, boolean commit) {
      markers.add(producerId + (commit ? " commit" : " abort"));
    }

    @Override
    public void loaded(Now now, Effects out) {}

    @Override
    public void resign(ErrorCode error, Effects out) {
      resigned = true;
    }

    @Override
    public long nextDeadlineMs() {
      return deadlineMs;
    }

    @Override
    public void expire(Now now, Effects out) {
      expiries++;
      deadlineMs = Deadlines.NEVER;
    }
  }

  private static final class Codec implements RecordCodec<Count> {
    @Override
    public byte[] key(Count record) {
      if (record.name().isEmpty()) {
        throw new IllegalArgumentException("a counter without a name");
      }
      return new WireWriter(16).string(record.name()).toBytes();
    }

    @Override
    public byte[] value(Count record) {
      return new WireWriter(4).int32(record.value()).toBytes();
    }

    @Override
    public @Nullable Count decode(ByteBuffer key, @Nullable ByteBuffer value) {
      if (value == null || value.remaining() != 4) {
        throw new IllegalArgumentException("no value");
      }
      return new Count(new WireReader(key.slice(), false).string(), value.getInt(value.position()));
    }
  }

  final List<String> performed = new ArrayList<>();

  @Override
  public InternalTopic.Definition topic() {
    return new InternalTopic.Definition(
        TOPIC, 4, 3, replicas -> Map.of("min.insync.replicas", Integer.toString(replicas)));
  }

  @Override
  public String name() {
    return "counters";
  }

  @Override
  public RecordCodec<Count> codec() {
    return new Codec();
  }

  @Override
  public Machine machine(int leaderEpoch) {
    return new Machine();
  }

  @Override
  public Effects effects() {
    return new Effects();
  }

  @Override
  public String describe(Machine machine) {
    return machine.counters.size() + " counters";
  }

  @Override
  public void perform(Shard<Machine, Count, Effects> shard, Effects effects) {
    performed.addAll(effects.errands);
    effects.errands.clear();
  }
}
