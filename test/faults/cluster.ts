// An api with its REST door and some workers, wired as their processes are, in this one process: so that a test can
// harm what lies between them and the broker, and nothing can be mended by a restart.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connect } from 'amqplib'
import pino from 'pino'
import { openApi } from '../../src/api/server.ts'
import { parseConfig, VERSION } from '../../src/config.ts'
import type { CheckResult } from '../../src/core/readiness.ts'
import { isFinal, type Status, type TaskRecord } from '../../src/core/task.ts'
import { wire } from '../../src/wire.ts'
import { openWorker } from '../../src/worker/worker.ts'
import { readEffects } from '../soak/effects.ts'
import { makeDataDir } from '../support/bundle.ts'
import { until } from '../support/until.ts'

const KINDS_DIR = fileURLToPath(new URL('../soak/kinds/', import.meta.url))
const MEND_MS = 60_000
/** Between two looks that cost something. */
const LOOK_MS = 100

export interface WorldOptions {
  /** What the api and the workers are told; unset: the embedded queue. */
  amqpUrl?: string
  /** The broker itself, for looks at the queue past the proxy. */
  brokerUrl?: string
  queue?: string
  workers?: number
  /** Tasks per worker. */
  slots?: number
}

export interface Ready {
  ok: boolean
  checks: Record<string, CheckResult>
}

export const openWorld = async ({
  amqpUrl = '',
  brokerUrl = amqpUrl,
  queue = 'madhava',
  workers = 2,
  slots = 2,
}: WorldOptions) => {
  const { dataDir, remove } = makeDataDir()
  const folder = path.join(dataDir, 'effects')
  mkdirSync(folder)
  const config = parseConfig({
    DATA_DIR: dataDir,
    AMQP_URL: amqpUrl,
    AMQP_QUEUE: queue,
    API_PORT: '0',
    CONCURRENCY: String(slots),
    DRAIN_SECONDS: '0',
    KINDS_DIR,
    ROLES: 'api,worker',
  })
  /** Every line of the log, for what it says and how often. */
  const lines: { message: string; reason?: string; link?: string }[] = []
  const log = pino(
    { level: 'debug', messageKey: 'message' },
    { write: line => void lines.push(JSON.parse(line)) },
  )

  const api = await wire(config, log)
  const { host, ports, roles, allowedHosts } = config
  const door = await openApi(
    { host, port: ports.api, dataDir, roles, allowedHosts, corsOrigins: [], version: VERSION },
    api,
    log,
  )
  await api.announce('api')
  const openOne = async () => {
    const parts = await wire(config, log)
    const worker = openWorker(
      { ...config, slots, cores: slots, scratchDir: path.join(dataDir, 'scratch') },
      parts,
      log,
    )
    await parts.announce('worker', worker.details)
    return { parts, worker }
  }
  const crew: Awaited<ReturnType<typeof openOne>>[] = []
  const hire = async (count: number): Promise<void> => {
    crew.push(...(await Promise.all(Array.from({ length: count }, openOne))))
  }
  /** An orderly end of all workers here: what runs is given back. */
  const dismiss = async (): Promise<void> => {
    for (const { parts, worker } of crew.splice(0)) await worker.close().finally(parts.close)
  }
  await hire(workers)
  const root = `http://${door.address}`
  const submitted: string[] = []
  /** Ends other than SUCCESS that a test wants. */
  const wanted = new Map<string, Status>()
  let closing = false

  const ready = async (): Promise<Ready> => (await fetch(`${root}/readyz`)).json() as Promise<Ready>
  /** Whatever else is wrong, a submit is accepted. */
  const submit = async (params: object = {}, more: object = {}): Promise<string> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    const body = JSON.stringify({ kind: 'effect', params: { folder, ms: 0, ...params }, ...more })
    const ask = () => fetch(`${root}/tasks`, { method: 'POST', headers, body })
    // a kept connection that the door closes as idle at this moment is no refusal: any client asks again
    const response = await ask().catch(ask)
    const answer = (await response.json()) as TaskRecord
    assert.ok([200, 202].includes(response.status), JSON.stringify(answer))
    submitted.push(answer.id)
    return answer.id
  }
  const get = async (id: string): Promise<TaskRecord> =>
    (await fetch(`${root}/task/${id}`)).json() as Promise<TaskRecord>
  const all = async (): Promise<TaskRecord[]> =>
    ((await (await fetch(`${root}/alltasks`)).json()) as TaskRecord[]).filter(({ id }) =>
      submitted.includes(id),
    )

  /** All that was ever submitted has ended once, in SUCCESS with one effect unless the test wants another end. */
  const allDone = async (limitMs = MEND_MS): Promise<void> => {
    let tasks: TaskRecord[] = []
    await until(
      'every task has ended',
      async () => {
        // the list is made in this process, which has better things to do
        await sleep(LOOK_MS)
        tasks = await all()
        return tasks.length === submitted.length && tasks.every(({ status }) => isFinal(status))
      },
      limitMs,
    ).catch((error: unknown) => {
      const open = tasks.filter(({ status }) => !isFinal(status))
      throw new Error(`${error}: ${open.length} of ${submitted.length}, such as ${JSON.stringify(open[0])}`)
    })
    for (const task of tasks) {
      assert.equal(task.status, wanted.get(task.id) ?? 'SUCCESS', JSON.stringify(task))
      assert.equal(
        task.history.filter(({ status }) => isFinal(status)).length,
        1,
        JSON.stringify(task.history),
      )
    }
    const effects = readEffects(folder)
    assert.deepEqual([effects.twice, effects.overlapping], [[], []])
    for (const { id, status } of tasks)
      assert.ok(effects.once.has(id) || status !== 'SUCCESS', `${id} had no effect`)
  }

  /** Messages in the queue, and consumers on it, as the broker says; null when it cannot be asked. */
  const inspect = async (): Promise<{ messages: number; consumers: number } | null> => {
    const connection = await connect(brokerUrl, { timeout: 5_000 })
    connection.on('error', () => {})
    try {
      const channel = await connection.createChannel()
      channel.on('error', () => {})
      const { messageCount, consumerCount } = await channel.checkQueue(queue)
      return { messages: messageCount, consumers: consumerCount }
    } catch {
      return null
    } finally {
      await connection.close().catch(() => {})
    }
  }

  return {
    config,
    api,
    folder,
    root,
    hire,
    dismiss,
    /** This one is to end otherwise. */
    want: (id: string, status: Status): void => void wanted.set(id, status),
    /** DELETE /task/{id}: the answer's status, and `outcome` or the error's `code`. */
    cancel: async (id: string): Promise<{ status: number; says: unknown }> => {
      const response = await fetch(`${root}/task/${id}`, { method: 'DELETE' })
      const { outcome, code } = (await response.json()) as { outcome?: string; code?: string }
      return { status: response.status, says: outcome ?? code }
    },
    lines,
    submit,
    get,
    all,
    ready,
    allDone,
    inspect,
    /** Totals of the workers' queues. */
    counters: (): Record<string, number> => {
      const sum: Record<string, number> = {}
      for (const { parts } of crew)
        for (const [name, count] of Object.entries(parts.queue.counters()))
          sum[name] = (sum[name] ?? 0) + count
      return sum
    },

    /** Submits one after the other until it is stopped; each must be accepted. */
    load: (everyMs = 30, params: object = {}) => {
      let stopped = false
      const working = (async () => {
        while (!stopped && !closing) {
          await submit(params)
          await sleep(everyMs)
        }
      })()
      working.catch(() => {})
      return async (): Promise<void> => {
        stopped = true
        await working
      }
    },

    /** `/readyz` stays 200, and a check says this meanwhile. */
    degraded: async (check: string, reason: RegExp, limitMs = MEND_MS): Promise<void> => {
      let last: Ready | null = null
      await until(
        `${check} is degraded: ${reason}`,
        async () => {
          last = await ready()
          const { status, reason: words = '' } = last.checks[check] ?? { status: 'ok' }
          return status === 'degraded' && reason.test(words)
        },
        limitMs,
      ).catch((error: unknown) => {
        throw new Error(`${error}; it says ${JSON.stringify(last)}`)
      })
      // on a busy machine a store may be slow to answer, which is not what is tested here
      const failed = Object.values((last as Ready | null)?.checks ?? {}).filter(
        ({ status, reason = '' }) => status === 'failed' && !/gave no answer within/.test(reason),
      )
      assert.deepEqual(failed, [], 'a broker in trouble makes nothing unready')
      assert.doesNotMatch(JSON.stringify(last), /:[^/@"]*@/, 'a password is shown')
    },

    /** Every check is well, every process has its connections, and what is announced now comes through the broker. */
    mended: async (limitMs = MEND_MS): Promise<void> => {
      let last: Ready | null = null
      await until(
        'every check is well',
        async () => {
          last = await ready()
          return Object.values(last.checks).every(({ status }) => status === 'ok')
        },
        limitMs,
      ).catch((error: unknown) => {
        throw new Error(`${error}; it says ${JSON.stringify(last)}`)
      })
      await until(
        'every process has its connections',
        () =>
          [api, ...crew.map(({ parts }) => parts)].every(({ queue: own }) => own.state().status === 'ready'),
        limitMs,
      )
      for (let n = 0; n < 10; n++) await submit()
      assert.equal(await api.queue.flush(60_000), true, 'the publisher works')
      await allDone(2 * MEND_MS)
      await until(
        'the consumers are there and have left nothing',
        async () => {
          await sleep(LOOK_MS)
          const seen = await inspect()
          return seen !== null && seen.messages === 0 && seen.consumers === crew.length
        },
        limitMs,
      )
    },

    close: async (): Promise<void> => {
      // a test that failed has stopped nothing
      closing = true
      await dismiss()
      await door.close()
      await api.close()
      remove()
    },
  }
}

export type World = Awaited<ReturnType<typeof openWorld>>
