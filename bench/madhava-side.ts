// Our side: tasks put into a store and a queue by one process, then one worker as the bundle runs it, from dist/.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseConfig } from '../src/config.ts'
import { silentLog } from '../src/platform/log.ts'
import { wire } from '../src/wire.ts'
import { cpuOf } from './proc.ts'
import { newTask } from './sample.ts'
import { LOOK_MS, rateOf, type Side, startWorker } from './side.ts'

const WORKER = fileURLToPath(new URL('../dist/worker/main.js', import.meta.url))
export const KINDS = fileURLToPath(new URL('./kinds', import.meta.url))
const ROLE_OPTIONS = ['--enable-source-maps', '--min-semi-space-size=16', '--max-semi-space-size=16']
const LIMIT_MS = 600_000
const IN_FLIGHT = 64

/** @param settings of a turn: where store and queue are. Each turn has its own. */
export const createMadhavaSide = (options: {
  name: string
  concurrency: number
  /** Options of Node for the worker, such as --cpu-prof. */
  nodeArgs?: readonly string[]
  settings: (turn: number) => Record<string, string>
}): Side => {
  let turns = 0
  return {
    name: options.name,
    async turn(count) {
      const settings = {
        ...options.settings(turns++),
        KINDS_DIR: KINDS,
        CONCURRENCY: String(options.concurrency),
        LOG_LEVEL: 'warn',
      }
      const config = parseConfig(settings)
      const fill = async (): Promise<void> => {
        const parts = await wire(config, silentLog())
        let left = count
        const lane = async (): Promise<void> => {
          while (left-- > 0) {
            const { task } = await parts.store.create(newTask({ kind: 'noop', params: null }), null)
            parts.queue.announce({ id: task.id, kind: task.kind })
          }
        }
        await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
        if (!(await parts.queue.flush(60_000))) throw new Error('not all announcements were confirmed')
        await parts.close()
      }
      await fill()
      const worker = startWorker(process.execPath, [...ROLE_OPTIONS, ...(options.nodeArgs ?? []), WORKER], {
        ...process.env,
        ...settings,
      })
      let cpu = 0
      try {
        // opened again only now, and only the worker's own count is asked, so that the worker has the machine
        const { store, close } = await wire({ ...config, amqpUrls: [] }, silentLog())
        const succeeded = async (): Promise<number> =>
          (await store.presences()).find(({ role }) => role === 'worker')?.details.counters.succeeded ?? 0
        const deadline = performance.now() + LIMIT_MS
        while ((await succeeded()) < count) {
          worker.mustRun()
          if (performance.now() > deadline) throw new Error('not all tasks ended in time')
          await sleep(LOOK_MS)
        }
        cpu = cpuOf([worker.pid]).total
        const ends: number[] = []
        let cursor: string | null = null
        do {
          const page = await store.list({}, { limit: 1_000, cursor })
          ends.push(...page.tasks.map(({ finishedAt }) => Date.parse(finishedAt ?? '')))
          cursor = page.next
        } while (cursor !== null)
        await close()
        return { perSecond: rateOf(ends), cpuMs: (cpu * 1000) / count }
      } finally {
        await worker.end()
      }
    },
  }
}

/** A data folder of a turn. */
export const dataDirOf = (dir: string, turn: number): string => path.join(dir, `data-${turn}`)
