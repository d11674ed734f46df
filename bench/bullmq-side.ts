// BullMQ's side: jobs in the same Redis, run in its worker's own process as its documents show it, without a sandbox.
import { fileURLToPath } from 'node:url'
import { Queue } from 'bullmq'
import { until } from '../test/support/until.ts'
import { cpuOf } from './proc.ts'
import { rateOf, type Side, startWorker } from './side.ts'

const WORKER = fileURLToPath(new URL('./bullmq-worker.mjs', import.meta.url))
const LIMIT_MS = 600_000
const AT_A_TIME = 500

export const createBullmqSide = (options: { port: number; concurrency: number }): Side => {
  let turns = 0
  return {
    name: 'BullMQ',
    async turn(count) {
      const { port, concurrency } = options
      const name = `bullmq-${turns++}`
      const queue = new Queue(name, { connection: { host: '127.0.0.1', port } })
      for (let made = 0; made < count; made += AT_A_TIME)
        await queue.addBulk(
          Array.from({ length: Math.min(AT_A_TIME, count - made) }, () => ({ name: 'noop', data: null })),
        )
      const args = [WORKER, String(port), name, String(concurrency)]
      const worker = startWorker(process.execPath, args, process.env)
      let cpu = 0
      try {
        const allEnded = async (): Promise<boolean> => {
          worker.mustRun()
          return (await queue.getCompletedCount()) >= count
        }
        await until("all of BullMQ's jobs ended", allEnded, LIMIT_MS)
        cpu = cpuOf([worker.pid]).total
      } finally {
        await worker.end()
      }
      const jobs = await queue.getJobs(['completed'], 0, count)
      const ends = jobs.flatMap(job => job?.finishedOn ?? [])
      if (ends.length !== count) throw new Error(`${ends.length} jobs of ${count} have ended`)
      await queue.obliterate({ force: true })
      await queue.close()
      return { perSecond: rateOf(ends), cpuMs: (cpu * 1000) / count }
    },
  }
}
