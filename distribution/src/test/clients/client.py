"""kafka-python: codecs | produce BOOTSTRAP TOPIC CODEC | consume BOOTSTRAP TOPIC COUNT"""

import sys
import uuid

from kafka import KafkaConsumer, KafkaProducer


def produce(bootstrap, topic, codec):
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        linger_ms=50,
        acks="all",
    )
    sent = []
    for line in sys.stdin.buffer.read().splitlines():
        key, value = line.split(b":", 1)
        sent.append(producer.send(topic, key=key, value=value))
    producer.flush(30)
    for future in sent:
        future.get(30)
    producer.close()


def consume(bootstrap, topic, count):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        group_id="python-" + str(uuid.uuid4()),
        auto_offset_reset="earliest",
        consumer_timeout_ms=30000,
    )
    for number, record in enumerate(consumer, start=1):
        sys.stdout.buffer.write(record.key + b":" + record.value + b"\n")
        if number >= count:
            break
    consumer.close()


if sys.argv[1] == "codecs":
    print("none gzip snappy lz4 zstd")
elif sys.argv[1] == "produce":
    produce(*sys.argv[2:5])
else:
    consume(sys.argv[2], sys.argv[3], int(sys.argv[4]))
