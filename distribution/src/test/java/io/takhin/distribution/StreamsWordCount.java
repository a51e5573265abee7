package io.takhin.distribution;

import java.time.Duration;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers;
import org.apache.kafka.streams.state.Stores;

/// A Kafka Streams program in a process of its own, to be killed: counts the words of `words` by
/// way of a repartition topic and a state store with its changelog, and writes each new count of a
/// word to `counts`, exactly once.
final class StreamsWordCount {
  private StreamsWordCount() {}

  public static void main(String[] args) throws InterruptedException {
    Properties settings = new Properties();
    settings.put("bootstrap.servers", args[0]);
    settings.put("application.id", args[1]);
    settings.put("state.dir", args[2]);
    settings.put("processing.guarantee", "exactly_once_v2");
    settings.put("commit.interval.ms", "100");
    settings.put("num.stream.threads", "1");
    settings.put("statestore.cache.max.bytes", "0"); // every count is written
    settings.put("dsl.store.suppliers.class", InMemoryDslStoreSuppliers.class.getName());
    settings.put("consumer.session.timeout.ms", "2000");
    settings.put("consumer.heartbeat.interval.ms", "300");
    settings.put("consumer.auto.offset.reset", "earliest");
    // What a killed program left open holds up the others for that long.
    settings.put("producer.transaction.timeout.ms", "4000");
    settings.put("reconnect.backoff.max.ms", "200");
    StreamsBuilder builder = new StreamsBuilder();
    builder.stream("words", Consumed.with(Serdes.String(), Serdes.String()))
        .selectKey((key, word) -> word)
        .groupByKey(Grouped.with(Serdes.String(), Serdes.String()))
        .count(
            Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("count"))
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()))
        .mapValues(count -> Long.toString(count))
        .toStream()
        .to("counts", Produced.with(Serdes.String(), Serdes.String()));
    CountDownLatch ended = new CountDownLatch(1);
    try (KafkaStreams streams = new KafkaStreams(builder.build(), settings)) {
      streams.setUncaughtExceptionHandler(
          failure -> {
            System.err.println("a stream thread ends: " + failure);
            return StreamThreadExceptionResponse.REPLACE_THREAD;
          });
      Runtime.getRuntime()
          .addShutdownHook(
              new Thread(
                  () -> {
                    streams.close(Duration.ofSeconds(10));
                    ended.countDown();
                  }));
      streams.start();
      ended.await();
    }
  }
}
