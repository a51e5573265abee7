"""confluent-kafka: bill BOOTSTRAP ID ORDERS INVOICES COUNT | read BOOTSTRAP TOPIC COUNT

bill copies orders to invoices in transactions, as docs/transactions.md shows, until so many are
billed; the first look at an order "fails" ends in an abort. read prints committed values.
"""

import sys
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Producer, TopicPartition

command, bootstrap = sys.argv[1:3]
failed = False


def bill(order):
    global failed
    if order == b"fails" and not failed:
        failed = True
        raise ValueError("an order that cannot be billed at first")
    return b"bill for " + order


def run(transactional_id, orders, invoices, count):
    # begin sample
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id})
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "billing-python",
        "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([orders])
    producer.init_transactions()

    def bill_all(batch):
        producer.begin_transaction()
        try:
            for order in batch:
                producer.produce(invoices, key=order.key(), value=bill(order.value()))
            producer.send_offsets_to_transaction(
                consumer.position(consumer.assignment()), consumer.consumer_group_metadata())
            producer.commit_transaction()
            return len(batch)
        except Exception as e:
            if isinstance(e, KafkaException) and e.args[0].fatal():
                raise  # fenced: another instance has this id
            producer.abort_transaction()
            for committed in consumer.committed(consumer.assignment()):  # read them again
                offset = committed.offset if committed.offset >= 0 else OFFSET_BEGINNING
                consumer.seek(TopicPartition(committed.topic, committed.partition, offset))
            return 0
    # end sample

    producer.begin_transaction()
    producer.produce(invoices, value=b"never")
    producer.flush()  # so that there is something to abort
    producer.abort_transaction()
    while count > 0:
        batch = [each for each in consumer.consume(7, timeout=0.2) if not each.error()]
        if batch:
            count -= bill_all(batch)
    consumer.close()


def read(topic, count):
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "python-" + str(uuid.uuid4()),
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
    })
    consumer.subscribe([topic])
    while count > 0:
        for record in consumer.consume(count, timeout=1):
            if record.error():
                raise KafkaException(record.error())
            sys.stdout.buffer.write(record.value() + b"\n")
            count -= 1
    consumer.close()


if command == "bill":
    run(sys.argv[3], sys.argv[4], sys.argv[5], int(sys.argv[6]))
else:
    read(sys.argv[3], int(sys.argv[4]))
