// BullMQ's worker of a comparison: bullmq-worker.mjs PORT QUEUE CONCURRENCY. It runs nothing, until it is ended.
import { Worker } from 'bullmq'

const [port, queue, concurrency] = process.argv.slice(2)
const worker = new Worker(queue, async () => null, {
  connection: { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null },
  concurrency: Number(concurrency),
})
worker.on('error', error => console.error(error))
process.once('SIGTERM', async () => {
  await worker.close()
  process.exit(0)
})
