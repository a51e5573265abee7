// kafkajs: bill BOOTSTRAP ID ORDERS INVOICES COUNT | read BOOTSTRAP TOPIC COUNT
//
// bill copies orders to invoices in transactions, as docs/transactions.md shows, until so many are billed; the first
// look at an order "fails" ends in an abort. read prints committed values.
const { Kafka, logLevel } = require('kafkajs')

const [command, bootstrap, ...args] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'takhin-test', brokers: [bootstrap], logLevel: logLevel.NOTHING })
let failed = false

function bill(order) {
  if (order.toString() === 'fails' && !failed) {
    failed = true
    throw new Error('an order that cannot be billed at first')
  }
  return `bill for ${order}`
}

async function run(transactionalId, orders, invoices, count) {
  let billed = 0
  let done
  const all = new Promise(resolve => { done = resolve })
  // begin sample
  const groupId = 'billing-kafkajs'
  const producer = kafka.producer({ transactionalId, idempotent: true, maxInFlightRequests: 1 })
  const consumer = kafka.consumer({ groupId })
  await producer.connect()
  await consumer.connect()
  await consumer.subscribe({ topics: [orders], fromBeginning: true })

  async function billAll({ batch }) {
    const transaction = await producer.transaction()
    try {
      await transaction.send({
        topic: invoices,
        messages: batch.messages.map(order => ({ key: order.key, value: bill(order.value) })),
      })
      const next = (BigInt(batch.lastOffset()) + 1n).toString()
      await transaction.sendOffsets({
        consumerGroupId: groupId,
        topics: [{ topic: batch.topic, partitions: [{ partition: batch.partition, offset: next }] }],
      })
      await transaction.commit()
      billed += batch.messages.length
    } catch (e) {
      await transaction.abort()
      throw e // kafkajs reads the batch again
    }
  }
  // end sample

  const aborted = await producer.transaction()
  await aborted.send({ topic: invoices, messages: [{ value: 'never' }] })
  await aborted.abort()
  await consumer.run({
    autoCommit: false,
    eachBatch: async payload => {
      await billAll(payload)
      if (billed >= count) done()
    },
  })
  await all
  await consumer.disconnect()
  await producer.disconnect()
}

async function read(topic, count) {
  const consumer = kafka.consumer({ groupId: `kafkajs-${process.pid}-${Date.now()}` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  let left = count
  let done
  const all = new Promise(resolve => { done = resolve })
  await consumer.run({
    eachMessage: async ({ message }) => {
      process.stdout.write(`${message.value}\n`)
      if (--left === 0) done()
    },
  })
  await all
  await consumer.disconnect()
}

const task = command === 'bill' ? run(args[0], args[1], args[2], Number(args[3])) : read(args[0], Number(args[1]))
task.catch(error => {
  console.error(error)
  process.exit(1)
})
