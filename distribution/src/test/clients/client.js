// kafkajs: codecs | produce BOOTSTRAP TOPIC CODEC | consume BOOTSTRAP TOPIC COUNT
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs')
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')

const types = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }
const [command, bootstrap, topic, last] = process.argv.slice(2)

async function produce(kafka) {
  const chunks = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const messages = Buffer.concat(chunks).toString('utf8').split('\n').filter(Boolean).map(line => {
    const colon = line.indexOf(':')
    return { key: line.slice(0, colon), value: line.slice(colon + 1) }
  })
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  await producer.send({ topic, compression: types[last], acks: -1, messages })
  await producer.disconnect()
}

async function consume(kafka) {
  const consumer = kafka.consumer({ groupId: `kafkajs-${process.pid}-${Date.now()}` })
  await consumer.connect()
  await consumer.subscribe({ topics: [topic], fromBeginning: true })
  let left = Number(last)
  await new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${left} records did not come`)), 40000)
    consumer.run({
      eachMessage: async ({ message }) => {
        process.stdout.write(`${message.key}:${message.value}\n`)
        if (--left === 0) {
          clearTimeout(limit)
          resolve()
        }
      },
    }).catch(reject)
  })
  await consumer.disconnect()
}

if (command === 'codecs') {
  console.log(Object.keys(types).join(' '))
} else {
  const kafka = new Kafka({ clientId: 'takhin-test', brokers: [bootstrap], logLevel: logLevel.ERROR })
  ;(command === 'produce' ? produce(kafka) : consume(kafka)).catch(error => {
    console.error(error)
    process.exit(1)
  })
}
