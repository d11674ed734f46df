// Celery's side: Debian's package, a prefork worker with late acknowledgement. Results in files or in Redis.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cpuOf } from './proc.ts'
import { LOOK_MS, rateOf, runToEnd, type Side, startWorker } from './side.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
/** Debian's own, whatever else is on the path: its packages are meant. */
const PYTHON = '/usr/bin/python3'
/** A worker that ends no task for so long ends none any more. */
const STUCK_MS = 60_000

/** The version installed, or null. */
export const celeryVersion = (): string | null => {
  const { status, stdout } = spawnSync(PYTHON, ['-m', 'celery', '--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.trim() : null
}

export interface Results {
  /** For Celery's setting. */
  backend: string
  /** The results as JSON texts, one per task. */
  read(): Promise<string[]>
  count(): Promise<number>
}

/** Results as files below `dir`. */
export const fileResults = (dir: string): Results => {
  mkdirSync(dir, { recursive: true })
  return {
    backend: `file://${dir}`,
    read: async () => readdirSync(dir).map(name => readFileSync(path.join(dir, name), 'utf8')),
    count: async () => readdirSync(dir).length,
  }
}

const endOf = (text: string): number => {
  const { status, date_done } = JSON.parse(text) as { status: string; date_done: string }
  if (status !== 'SUCCESS') throw new Error(`a task of Celery's ended with ${status}`)
  return Date.parse(`${date_done}Z`)
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)

export const createCelerySide = (options: {
  brokerUrl: string
  concurrency: number
  results: (turn: number) => Results
}): Side => {
  let turns = 0
  return {
    name: 'Celery',
    async turn(count) {
      const results = options.results(turns++)
      const env = {
        ...process.env,
        BROKER_URL: options.brokerUrl,
        RESULT_BACKEND: results.backend,
        PYTHONPATH: HERE,
        PYTHONDONTWRITEBYTECODE: '1',
      }
      runToEnd(PYTHON, [path.join(HERE, 'celery-fill.py'), String(count)], env)
      const flags = [
        '--pool',
        'prefork',
        '--concurrency',
        String(options.concurrency),
        '--loglevel',
        'warning',
      ]
      const worker = startWorker(PYTHON, ['-m', 'celery', '--app', 'celery_noop', 'worker', ...flags], env)
      let cpu = 0
      try {
        // looked at seldom, so that the worker has the machine
        let ended = 0
        for (let movedAt = performance.now(); ended < count; ) {
          worker.mustRun()
          await sleep(LOOK_MS)
          const now = await results.count()
          if (now > ended) movedAt = performance.now()
          else if (performance.now() - movedAt > STUCK_MS)
            throw new Error(`Celery has ended ${now} of ${count} tasks and goes on with none`)
          ended = now
        }
        cpu = cpuOf([worker.pid, ...childrenOf(worker.pid)]).total
      } finally {
        await worker.end()
      }
      const ends = (await results.read()).map(endOf)
      if (ends.length !== count) throw new Error(`${ends.length} results of ${count} tasks`)
      return { perSecond: rateOf(ends), cpuMs: (cpu * 1000) / count }
    },
  }
}
