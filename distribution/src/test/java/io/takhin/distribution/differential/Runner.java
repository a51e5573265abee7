package io.takhin.distribution.differential;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.takhin.distribution.differential.Step.Wait;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.apache.kafka.common.message.ApiVersionsRequestData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/// Runs one script on one broker.
///
/// Brokers tell of some states that pass by themselves: a coordinator that is being loaded, a
/// transaction whose markers are being written. Such an answer ([#PASSING]) is not noted; the
/// request is sent again until there is another answer, for ten seconds.
///
/// Threading: one thread.
final class Runner implements AutoCloseable {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final int ANSWER_LIMIT_MS = 15_000;
  private static final long PASSING_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final long UNTIL_LIMIT_NANOS = TimeUnit.SECONDS.toNanos(10);
  private static final Set<Errors> PASSING =
      Set.of(
          Errors.COORDINATOR_LOAD_IN_PROGRESS,
          Errors.COORDINATOR_NOT_AVAILABLE,
          Errors.NOT_COORDINATOR,
          Errors.CONCURRENT_TRANSACTIONS);

  private final Broker broker;
  private final State state;
  private final Settling settling;
  private final Map<Integer, Connection> connections = new HashMap<>();
  private final Map<Integer, Integer> later = new HashMap<>();
  private final List<Step> steps;
  private final List<@Nullable Answer> answers;

  private Runner(Broker broker, Script script, String prefix) throws IOException {
    this.broker = broker;
    this.state = new State(prefix);
    this.settling = new Settling(broker, state);
    this.steps = script.steps();
    this.answers = new ArrayList<>(Collections.nCopies(steps.size(), null));
  }

  /// Asks everything and notes the answers, one for each step.
  ///
  /// @param prefix of all names of this run: one that no other run on this broker had, of the same
  ///     length on all brokers
  static List<Answer> run(Broker broker, Script script, String prefix) throws IOException {
    try (Runner runner = new Runner(broker, script, prefix)) {
      for (int i = 0; i < script.steps().size(); i++) {
        runner.step(i);
      }
      for (int connection : List.copyOf(runner.later.keySet())) {
        runner.collect(connection);
      }
      runner.settling.deleteTopics();
      List<Answer> all = new ArrayList<>();
      for (Answer answer : runner.answers) {
        if (answer == null) {
          throw new IllegalStateException("a step without an answer");
        }
        all.add(answer);
      }
      return all;
    }
  }

  private void step(int index) throws IOException {
    Step step = steps.get(index);
    collect(step.connection());
    if (step.awaited() == Wait.LATER) {
      send(step);
      later.put(step.connection(), index);
      return;
    }
    settling.before(step);
    long passing = System.nanoTime() + PASSING_LIMIT_NANOS;
    long until = System.nanoTime() + UNTIL_LIMIT_NANOS;
    while (true) {
      Answer answer = exchange(step);
      ApiMessage told = answer.told();
      boolean again = told != null && (waits(step, told, until) || passes(step, told, passing));
      if (!again) {
        answers.set(index, answer);
        break;
      }
      LockSupport.parkNanos(5_000_000);
    }
  }

  private static boolean waits(Step step, ApiMessage told, long until) {
    Predicate<ApiMessage> condition = step.until();
    return condition != null && !condition.test(told) && System.nanoTime() < until;
  }

  private static boolean passes(Step step, ApiMessage told, long until) {
    return step.raw() == null
        && System.nanoTime() < until
        && Learning.errors(told, step.version()).stream().anyMatch(PASSING::contains);
  }

  private Answer exchange(Step step) throws IOException {
    try {
      ApiMessage request = send(step);
      if (step.awaited() == Wait.NONE) {
        return probe(step);
      }
      return receive(step, request);
    } catch (Connection.ClosedException e) {
      return closed(step.connection());
    }
  }

  private @Nullable ApiMessage send(Step step) throws IOException {
    Connection connection = connection(step.connection());
    byte[] raw = step.raw();
    if (raw != null) {
      connection.send(raw);
      return null;
    }
    ApiMessage request = step.request().apply(state);
    connection.send(step.api(), step.version(), request);
    return request;
  }

  private Answer receive(Step step, @Nullable ApiMessage request) throws IOException {
    ByteBuffer frame = connection(step.connection()).receive(ANSWER_LIMIT_MS);
    if (frame == null) {
      drop(step.connection());
      return new Answer(JSON.objectNode().put("noAnswerInMs", ANSWER_LIMIT_MS), null);
    }
    return decode(step, request, frame);
  }

  private Answer decode(Step step, @Nullable ApiMessage request, ByteBuffer frame)
      throws IOException {
    ApiKeys api = step.api();
    short version = step.version();
    if (api == ApiKeys.API_VERSIONS && !api.isVersionSupported(version)) {
      version = 0;
    }
    ApiMessage told = api.messageType.newResponse();
    try {
      ByteBufferAccessor in = new ByteBufferAccessor(frame);
      new ResponseHeaderData().read(in, api.responseHeaderVersion(version));
      told.read(in, version);
    } catch (RuntimeException e) {
      return new Answer(Answers.unreadable(api, frame, e), null);
    }
    Learning.learn(state, step, request, told);
    settling.after(step, request, told);
    JsonNode shown = new Normaliser(state, api).normalise(Answers.json(told, version));
    if (frame.hasRemaining()) {
      ((ObjectNode) shown).put("bytesBehindTheAnswer", frame.remaining());
    }
    return new Answer(shown, told);
  }

  /// Whether the connection still answers, after a request that has no answer.
  private Answer probe(Step step) throws IOException {
    Connection connection = connection(step.connection());
    int id = connection.send(ApiKeys.API_VERSIONS, (short) 0, new ApiVersionsRequestData());
    ByteBuffer frame = connection.receive(ANSWER_LIMIT_MS);
    boolean own = frame != null && frame.getInt(0) == id;
    return new Answer(JSON.objectNode().put(own ? "noAnswerWanted" : "unexpected", true), null);
  }

  private Answer closed(int connection) throws IOException {
    drop(connection);
    return new Answer(JSON.objectNode().put("closed", true), null);
  }

  private void drop(int number) throws IOException {
    Connection connection = connections.remove(number);
    if (connection != null) {
      connection.close();
    }
  }

  private void collect(int connection) throws IOException {
    Integer index = later.remove(connection);
    if (index != null) {
      Step step = steps.get(index);
      try {
        answers.set(index, receive(step, null));
      } catch (Connection.ClosedException e) {
        answers.set(index, closed(connection));
      }
    }
  }

  private Connection connection(int number) throws IOException {
    Connection connection = connections.get(number);
    if (connection == null) {
      connection = new Connection(broker.address());
      connections.put(number, connection);
      state.session(number, 0);
    }
    return connection;
  }

  @Override
  public void close() throws IOException {
    for (Connection connection : connections.values()) {
      connection.close();
    }
    settling.close();
  }
}
